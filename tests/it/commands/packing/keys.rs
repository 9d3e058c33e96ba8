//! `par keys`, and the directories for keys.

use std::fs;
use std::path::PathBuf;

use nkeys::{KeyPair, KeyPairType};

use super::super::{mode, normalized};
use crate::support::{Environment, Outcome};

/// Runs `par` with `WASH_KEYS` set.
fn with_wash_keys(environment: &Environment, directory: &str, arguments: &[&str]) -> Outcome {
    let mut command = environment.command();
    command.args(arguments).env("WASH_KEYS", directory);
    Outcome::of(command, b"")
}

#[test]
fn a_new_key_file_is_private_and_only_the_public_key_is_printed() {
    let environment = Environment::new();
    let outcome = environment.par(["keys", "gen", "account"]).success();
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"generated [ROOT]/home/.wash/keys/tester_account.nk");
    let directory = environment.home().join(".wash/keys");
    let path = directory.join("tester_account.nk");
    let seed = fs::read_to_string(&path).unwrap();
    let key = KeyPair::from_seed(seed.trim()).unwrap();
    assert_eq!(outcome.line(), key.public_key());
    assert_eq!(key.key_pair_type(), KeyPairType::Account);
    assert_eq!((mode(&path), mode(&directory)), (0o600, 0o700));
    assert_eq!(mode(&environment.home().join(".wash")), 0o700);

    let service = environment
        .par(["keys", "gen", "service", "echo", "-o", "json"])
        .success();
    let object = service.json();
    let path = directory.join("echo_service.nk");
    assert_eq!(object["kind"], "service");
    assert_eq!(object["file"], path.to_str().unwrap());
    let key = KeyPair::from_seed(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(object["public_key"], key.public_key());
    assert!(key.public_key().starts_with('V'));
}

#[test]
fn a_key_is_never_replaced() {
    let environment = Environment::new();
    environment
        .par(["keys", "gen", "account", "jane"])
        .success();
    let path = environment.home().join(".wash/keys/jane_account.nk");
    let before = fs::read(&path).unwrap();
    let outcome = environment.par(["keys", "gen", "account", "jane"]).exit(7);
    assert!(
        outcome.stderr.contains("jane_account.nk exists"),
        "{outcome}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(environment.files(), ["home/.wash/keys/jane_account.nk"]);
}

#[test]
fn keys_are_generated_in_the_first_directory_that_applies() {
    let environment = Environment::new();
    with_wash_keys(&environment, "wash", &["keys", "gen", "account", "a"]).success();
    with_wash_keys(
        &environment,
        "wash",
        &["keys", "gen", "account", "b", "-d", "mine"],
    )
    .success();
    with_wash_keys(&environment, "", &["keys", "gen", "account", "c"]).success();
    let expected = [
        "home/.wash/keys/c_account.nk",
        "work/mine/b_account.nk",
        "work/wash/a_account.nk",
    ];
    assert_eq!(environment.files(), expected);
    assert_eq!(mode(&environment.path("mine")), 0o700);
}

#[test]
fn directories_for_keys_are_searched_in_order() {
    let environment = Environment::new();
    let home = environment.home();
    let directories = [
        environment.path("explicit"),
        environment.path("wash"),
        home.join(".wash/keys"),
        home.join(".local/share/wash/keys"),
    ];
    let keys: Vec<KeyPair> = directories.iter().map(|_| KeyPair::new_account()).collect();
    for (directory, key) in directories.iter().zip(&keys) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("jane_account.nk"), key.seed().unwrap()).unwrap();
    }
    for (directory, key) in directories.iter().zip(&keys) {
        let get = ["keys", "get", "jane_account", "-d", "explicit"];
        let outcome = with_wash_keys(&environment, "wash", &get).success();
        assert_eq!(outcome.line(), key.public_key(), "{}", directory.display());
        // `create` searches the same directories.
        environment.write("provider", "an executable");
        let mut create = environment.command();
        create
            .args([
                "create", "-n", "N", "-v", "V", "-b", "provider", "-d", "explicit",
            ])
            .args([
                "-s",
                &KeyPair::new_service().seed().unwrap(),
                "--disable-keygen",
            ])
            .args(["-o", "json"])
            .envs([("WASH_KEYS", "wash"), ("USER", "jane")]);
        assert_eq!(
            Outcome::of(create, b"").success().json()["issuer"],
            key.public_key()
        );
        fs::remove_file(directory.join("jane_account.nk")).unwrap();
    }
    let get = ["keys", "get", "jane_account", "-d", "explicit"];
    with_wash_keys(&environment, "wash", &get).exit(3);
}

/// Makes the keys of `tester` and of the provider `provider` in the home directory, an archive `out.par`, and an
/// executable. Returns the directory of the keys.
fn keys_at_home(environment: &Environment) -> PathBuf {
    environment.write("provider", "an executable");
    environment.par(PACK).success();
    environment.home().join(".wash/keys")
}

const PACK: [&str; 9] = [
    "create",
    "-n",
    "N",
    "-v",
    "V",
    "-b",
    "provider",
    "--destination",
    "out.par",
];

#[test]
fn a_key_that_is_not_in_the_named_directory_is_told() {
    let environment = Environment::new();
    let keys = keys_at_home(&environment);
    environment.write("empty/README", "");
    environment.write("file", "");
    for (directory, problem) in [
        ("typo", "does not exist"),
        ("file", "is not a directory"),
        ("empty", "has no account key `tester_account.nk`"),
    ] {
        let option = environment.par([&PACK[..], &["--directory", directory]].concat());
        let variable = with_wash_keys(&environment, directory, &PACK);
        let account = format!(
            "warning: {directory} {problem}; the account key is that of {}/tester_account.nk\n",
            keys.display()
        );
        let service = format!(
            "; the service key is that of {}/provider_service.nk\n",
            keys.display()
        );
        for outcome in [option.success(), variable.success()] {
            assert!(outcome.stderr.contains(&account), "{outcome}");
            assert!(outcome.stderr.contains(&service), "{outcome}");
        }
    }
    let rotate = [
        "keys", "rotate", "--from", "tester", "--to", "other", "-s", "provider",
    ];
    let other = ["keys", "gen", "account", "other"];
    environment.par(other).success();
    for arguments in [
        &["sign", "out.par"][..],
        &["keys", "get", "tester_account"],
        &rotate,
    ] {
        let outcome = with_wash_keys(&environment, "typo", arguments).success();
        let expected = format!("key is that of {}/tester_account.nk\n", keys.display());
        assert!(
            outcome
                .stderr
                .starts_with("warning: typo does not exist; the "),
            "{outcome}"
        );
        assert!(outcome.stderr.contains(&expected), "{outcome}");
        let outcome = with_wash_keys(&environment, keys.to_str().unwrap(), arguments).success();
        assert!(!outcome.stderr.contains("is that of"), "{outcome}");
    }
}

#[test]
fn in_ci_a_named_directory_that_is_missing_is_an_error() {
    let environment = Environment::new();
    let keys = keys_at_home(&environment);
    fs::remove_file(environment.path("out.par")).unwrap();
    let in_ci = |directory: &str, arguments: &[&str]| {
        let mut command = environment.command();
        command
            .args(arguments)
            .envs([("CI", "true"), ("WASH_KEYS", directory)]);
        Outcome::of(command, b"")
    };
    let refused = |arguments: &[&str]| {
        let outcome = in_ci("typo", arguments).exit(2);
        let expected = "error: the directory for keys typo does not exist";
        assert!(outcome.stderr.starts_with(expected), "{outcome}");
        assert!(
            outcome
                .stderr
                .contains("\nhint: correct --directory, WASH_KEYS"),
            "{outcome}"
        );
    };
    let keygen = [&PACK[..], &["--keygen"]].concat();
    refused(&PACK);
    refused(&keygen);
    assert!(!environment.path("out.par").exists());
    environment.par(PACK).success();
    refused(&["sign", "out.par"]);
    refused(&["keys", "get", "tester"]);
    refused(&[
        "keys", "rotate", "--from", "tester", "--to", "tester", "-s", "provider",
    ]);

    // A directory that exists may lack the key.
    environment.write("empty/README", "");
    in_ci("empty", &PACK).success();
    // No directory is searched for keys that are given.
    let [account, service] = ["tester_account.nk", "provider_service.nk"]
        .map(|name| keys.join(name).display().to_string());
    let given = ["-i", account.as_str(), "-s", service.as_str()];
    in_ci("typo", &[&PACK[..], &given].concat()).success();
    in_ci("typo", &["keys", "get", &account]).success();
    // New keys go to a new directory.
    fs::remove_dir_all(&keys).unwrap();
    in_ci("typo", &keygen).success();
    assert!(environment.path("typo/tester_account.nk").is_file());
}

#[test]
fn a_key_is_named_by_its_file_by_its_owner_or_by_its_path() {
    let environment = Environment::new();
    let team = environment
        .par(["keys", "gen", "account", "team"])
        .success();
    let path = environment.home().join(".wash/keys/team_account.nk");
    let path = path.to_str().unwrap();
    for name in ["team", "team.nk", "team_account", "team_account.nk", path] {
        let found = environment.par(["keys", "get", name]).success();
        assert_eq!(found.line(), team.line(), "{name}");
    }
    fs::copy(path, environment.path("mine")).unwrap();
    let found = environment
        .par(["keys", "get", "mine", "-o", "json"])
        .success();
    assert_eq!(found.json()["public_key"], team.line());
    let missing = environment.par(["keys", "get", "nosuch/key.nk"]).exit(3);
    assert!(
        missing.stderr.contains("cannot read nosuch/key.nk"),
        "{missing}"
    );

    environment
        .par(["keys", "gen", "service", "team"])
        .success();
    let refused = environment.par(["keys", "get", "team"]).exit(2);
    let expected = "`team` is the name of two keys, team_account and team_service";
    assert!(refused.stderr.contains(expected), "{refused}");
    environment.par(["keys", "get", "team_service"]).success();
}

#[test]
fn keys_are_found_where_the_variables_of_wash_say() {
    let environment = Environment::new();
    let found = |variables: &[(&str, &str)]| {
        let mut get = environment.command();
        get.args(["keys", "get", "team_account"])
            .envs(variables.iter().copied());
        Outcome::of(get, b"")
    };
    let mut keys = Vec::new();
    for directory in ["mine", "data/keys"] {
        let key = KeyPair::new_account();
        let file = format!("{directory}/team_account.nk");
        environment.write(&file, key.seed().unwrap());
        keys.push(key.public_key());
    }
    let (directory, data) = (("WASH_KEYS_DIR", "mine"), ("WASH_DATA_DIR", "data"));
    assert_eq!(found(&[directory, data]).success().line(), keys[0]);
    assert_eq!(found(&[directory]).success().line(), keys[0]);
    assert_eq!(found(&[data]).success().line(), keys[1]);
    assert_eq!(
        found(&[("WASH_KEYS_DIR", ""), data]).success().line(),
        keys[1]
    );
    found(&[]).exit(3);
}

#[test]
fn all_keys_are_listed_without_their_seeds() {
    let environment = Environment::new();
    let empty = environment.par(["keys", "list"]).success();
    assert_eq!((empty.stdout.as_str(), empty.stderr.as_str()), ("", ""));
    environment.par(["keys", "gen", "account"]).success();
    environment
        .par(["keys", "gen", "service", "echo"])
        .success();
    environment.write("more/broken.nk", "SAnothing");
    environment.write("more/README", "no key");
    let list = environment.par(["keys", "list", "-d", "more"]).success();
    insta::assert_snapshot!(normalized(&list.stdout, &environment), @"
    broken          (not a seed)                                              more/broken.nk
    echo_service    [SERVICE]  [ROOT]/home/.wash/keys/echo_service.nk
    tester_account  [ACCOUNT]  [ROOT]/home/.wash/keys/tester_account.nk
    ");
    let object = environment
        .par(["keys", "list", "-o", "json"])
        .success()
        .json();
    let keys = object["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let seed = fs::read_to_string(key["file"].as_str().unwrap()).unwrap();
        assert!(!list.stdout.contains(seed.trim()));
        assert!(!object.to_string().contains(seed.trim()));
        let name = key["name"].as_str().unwrap();
        for name in [name.to_owned(), format!("{name}.nk")] {
            let got = environment.par(["keys", "get", &name]).success();
            assert_eq!(key["public_key"], got.line());
        }
    }
}
