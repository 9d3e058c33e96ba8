//! The identity of a new archive: it never changes by accident.

use std::process::Stdio;

use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::support::{Environment, Outcome};

const CREATE: [&str; 7] = ["create", "-n", "N", "-v", "V", "--destination", "out.par"];

fn environment() -> Environment {
    let environment = Environment::new();
    environment.write("build/provider", "an executable");
    environment.write("other/echo", "an executable");
    environment
}

fn create(environment: &Environment, more: &[&str]) -> Outcome {
    environment.par([&CREATE[..], &["-o", "json"], more].concat())
}

/// Runs `create` with these variables.
fn create_with(environment: &Environment, variables: &[(&str, &str)], more: &[&str]) -> Outcome {
    let mut command = environment.command();
    command.args(CREATE).args(["-o", "json"]).args(more);
    command.envs(variables.iter().copied());
    Outcome::of(command, b"")
}

#[test]
fn in_ci_a_missing_key_is_an_error_unless_keygen_is_given() {
    let environment = environment();
    let binary = ["-q", "-b", "build/provider"];
    for ci in ["true", "1", "woodpecker"] {
        let outcome = create_with(&environment, &[("CI", ci)], &binary).exit(3);
        let error = &outcome.json()["error"];
        assert!(
            error["message"].as_str().unwrap().contains("CI is set"),
            "{outcome}"
        );
        assert!(
            error["hint"].as_str().unwrap().contains("--keygen"),
            "{outcome}"
        );
    }
    assert!(!environment.files().iter().any(|file| file.contains(".nk")));
    // Only the key of the subject is missing.
    let seed = KeyPair::new_account().seed().unwrap();
    let variables = [("CI", "true"), ("WASH_ISSUER_KEY", seed.as_str())];
    let outcome = create_with(&environment, &variables, &binary).exit(3);
    assert!(outcome.stdout.contains("service key"), "{outcome}");
    let with = [&binary[..], &["--keygen"]].concat();
    create_with(&environment, &variables, &with).success();
    // Now the key of the subject exists.
    create_with(&environment, &variables, &binary).success();
    create_with(&environment, &[("CI", "false")], &binary).success();
}

#[test]
fn a_generated_key_is_reported_also_with_quiet_and_in_json() {
    let environment = environment();
    let outcome = create(&environment, &["-q", "-b", "build/provider"]).success();
    let generated = outcome.json()["generated_keys"].clone();
    let kinds: Vec<&Value> = generated
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["kind"])
        .collect();
    assert_eq!(kinds, ["account", "service"]);
    assert_eq!(generated[0]["public_key"], outcome.json()["issuer"]);
    assert_eq!(generated[1]["public_key"], outcome.json()["service"]);
    assert_eq!(
        outcome.stderr.matches("generated the").count(),
        2,
        "{outcome}"
    );
    let again = create(&environment, &["-q", "-b", "build/provider"]).success();
    assert_eq!(again.json()["generated_keys"], json!([]));
    assert_eq!(again.stderr, "");
}

#[test]
fn a_public_key_is_enough_for_the_subject() {
    let environment = environment();
    let subject = KeyPair::new_service().public_key();
    let outcome = create(&environment, &["-b", "build/provider", "-s", &subject]).success();
    assert_eq!(outcome.json()["service"], subject);
    let variables = [("WASH_SUBJECT_KEY", subject.as_str())];
    let outcome = create_with(&environment, &variables, &["-b", "build/provider"]);
    assert_eq!(outcome.success().json()["service"], subject);
    let files = environment.files();
    assert!(
        !files.iter().any(|file| file.ends_with("_service.nk")),
        "{files:?}"
    );
    // The public key of an account is not a subject.
    let account = KeyPair::new_account().public_key();
    create(&environment, &["-b", "build/provider", "-s", &account]).exit(2);
}

#[test]
fn the_order_of_the_binaries_does_not_choose_the_identity() {
    let environment = environment();
    let (one, two) = ("arm-linux=build/provider", "x86_64-linux=other/echo");
    let services = [[one, two], [two, one]].map(|[first, second]| {
        let outcome = create(&environment, &["-b", first, "-b", second]).success();
        assert!(
            outcome
                .stderr
                .contains("the key of the subject is echo_service.nk"),
            "{outcome}"
        );
        outcome.json()["service"].clone()
    });
    assert_eq!(services[0], services[1]);
    // A name for which there is a key is preferred.
    let environment = self::environment();
    let before = create(&environment, &["-b", one]).success();
    let after = create(&environment, &["-b", two, "-b", one]).success();
    assert_eq!(before.json()["service"], after.json()["service"]);
}

#[test]
fn two_providers_do_not_share_a_service_key_unnoticed() {
    let environment = environment();
    std::fs::copy("/bin/echo", environment.path("build/provider")).unwrap();
    let named = |name| {
        let arguments = [
            "create",
            "-n",
            name,
            "-v",
            "V",
            "-b",
            "build/provider",
            "-o",
            "json",
        ];
        environment.par(arguments).success()
    };
    for _ in 0..2 {
        let mut warnings = named("Key-value").json()["warnings"].clone();
        // The executable of this machine needs a C library.
        let warnings = warnings.as_array_mut().unwrap();
        warnings.retain(|text| !text.as_str().unwrap().contains(" is dynamic: "));
        assert_eq!(warnings.len(), 0, "{warnings:?}");
    }
    let outcome = named("Messaging");
    let warnings = outcome.json()["warnings"].to_string();
    for said in ["provider_service.nk", "`Key-value`", "--subject"] {
        assert!(warnings.contains(said), "{outcome}");
    }
    let subject = KeyPair::new_service().public_key();
    let arguments = [
        "create",
        "-n",
        "Third",
        "-v",
        "V",
        "-b",
        "build/provider",
        "-s",
        &subject,
    ];
    let outcome = environment.par(arguments).success();
    let mut warnings = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning"));
    assert!(
        warnings.all(|line| line.contains(" is dynamic: ")),
        "{outcome}"
    );
}

#[test]
fn a_service_key_that_an_option_named_gives_the_warning_when_a_binary_s_name_finds_it() {
    let environment = environment();
    std::fs::copy("/bin/echo", environment.path("build/provider")).unwrap();
    let generated = environment.par(["keys", "gen", "service", "provider"]);
    let subject = generated.success().line().to_owned();
    let binary = ["-b", "build/provider"];
    let first = ["create", "-n", "First", "-v", "V", "-s", &subject];
    environment.par([&first[..], &binary].concat()).success();
    let second = ["create", "-n", "Second", "-v", "V", "-o", "json"];
    let outcome = environment.par([&second[..], &binary].concat()).success();
    let warnings = outcome.json()["warnings"].to_string();
    assert!(warnings.contains("`First`"), "{outcome}");
}

#[test]
fn a_key_comes_from_standard_input_or_a_pipe() {
    let environment = environment();
    let issuer = KeyPair::new_account();
    let seed = format!("{}\n", issuer.seed().unwrap());
    let mut command = environment.command();
    command
        .args(CREATE)
        .args(["-b", "build/provider", "-o", "json", "-i", "-"]);
    let outcome = Outcome::of(command, seed.as_bytes()).success();
    assert_eq!(outcome.json()["issuer"], issuer.public_key());

    let mut command = environment.command();
    command
        .args(CREATE)
        .args(["-b", "build/provider", "-o", "json"]);
    command.args(["-i", "/dev/stdin"]).stdin(Stdio::piped());
    let outcome = Outcome::of(command, seed.as_bytes()).success();
    assert_eq!(outcome.json()["issuer"], issuer.public_key());

    let outcome = create(
        &environment,
        &["-b", "build/provider", "-i", "-", "-s", "-"],
    )
    .exit(2);
    assert!(
        outcome.stdout.contains("standard input, which holds one"),
        "{outcome}"
    );
}

#[test]
fn a_public_key_in_place_of_a_seed_is_told_as_such() {
    let environment = environment();
    let issuer = KeyPair::new_account().public_key();
    let service = KeyPair::new_service().public_key();
    for key in [&issuer, &service] {
        let outcome = create(&environment, &["-b", "build/provider", "-i", key]).exit(2);
        let said = outcome.json()["error"]["message"].to_string();
        assert!(
            said.contains("it is a public key, and not the seed of"),
            "{outcome}"
        );
    }
}

#[test]
fn a_public_key_of_the_wrong_kind_or_with_a_typing_error_is_told_as_such() {
    let environment = environment();
    let account = KeyPair::new_account().public_key();
    let component = KeyPair::new_module().public_key();
    let mut mistyped = KeyPair::new_service().public_key();
    let other = if mistyped.ends_with('X') { "Y" } else { "X" };
    mistyped.replace_range(55.., other);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (key, expected) in [
        (
            &account,
            "it is the public key of an account (A…), and not that of a service (V…)",
        ),
        (
            &component,
            "it is the public key of a component (M…), and not that of a service (V…)",
        ),
        (
            &mistyped,
            "it has the form of the public key of a service (V…), but its checksum is wrong",
        ),
    ] {
        environment.write("key.txt", key);
        for given in [key.as_str(), "key.txt"] {
            let outcome = create(&environment, &["-b", "build/provider", "-s", given]).exit(2);
            let error = &outcome.json()["error"];
            assert!(text(&error["message"]).contains(expected), "{outcome}");
            let hint = text(&error["hint"]);
            for form in ["the public key", "the seed", "the path"] {
                assert!(hint.contains(form), "{outcome}");
            }
        }
    }
    let short = &mistyped[..55];
    let outcome = create(&environment, &["-b", "build/provider", "-s", short]).exit(3);
    let error = &outcome.json()["error"];
    let expected = "neither a public key, a seed nor the path of a file";
    assert!(text(&error["message"]).contains(expected), "{outcome}");
    assert!(text(&error["hint"]).contains("the public key"), "{outcome}");
}

#[test]
fn the_name_of_a_key_in_place_of_its_path_gets_a_hint_with_the_path() {
    let environment = environment();
    create(&environment, &["-b", "build/provider"]).success();
    for (kind, name) in [("account", "team"), ("service", "kvredis")] {
        environment.par(["keys", "gen", kind, name]).success();
    }
    let keys = environment.home().join(".wash/keys");
    let refused = |arguments: &[&str]| {
        let outcome = environment.par([arguments, &["-o", "json"]].concat());
        outcome.exit(3).json()["error"].clone()
    };
    let create = [&CREATE[..], &["-b", "build/provider"]].concat();
    for command in [&create[..], &["sign", "out.par"]] {
        for (option, name, file) in [
            ("-i", "team_account", "team_account.nk"),
            ("-i", "team", "team_account.nk"),
            ("-s", "kvredis_service", "kvredis_service.nk"),
        ] {
            let error = refused(&[command, &[option, name]].concat());
            let message = error["message"].as_str().unwrap();
            let expected = format!("`{name}` is the name of a key and not its path");
            assert!(message.starts_with(&expected), "{error}");
            let hint = error["hint"].as_str().unwrap();
            assert!(hint.ends_with(keys.join(file).to_str().unwrap()), "{error}");
        }
        // No account has these names.
        for name in ["nobody", "kvredis_service"] {
            let error = refused(&[command, &["-i", name]].concat());
            assert!(error["hint"].is_null(), "{error}");
        }
    }
}

#[test]
fn the_public_key_of_the_subject_comes_from_a_file_or_standard_input() {
    let environment = environment();
    let subject = KeyPair::new_service().public_key();
    environment.write("subject.txt", format!("{subject}\n"));
    let binary = ["-b", "build/provider"];
    let file = create(
        &environment,
        &[&binary[..], &["-s", "subject.txt"]].concat(),
    );
    assert_eq!(file.success().json()["service"], subject);
    let variable = [("WASH_SUBJECT_KEY", "subject.txt")];
    let variable = create_with(&environment, &variable, &binary);
    assert_eq!(variable.success().json()["service"], subject);
    let mut command = environment.command();
    command
        .args(CREATE)
        .args(["-o", "json", "-s", "-"])
        .args(binary);
    let input = Outcome::of(command, subject.as_bytes());
    assert_eq!(input.success().json()["service"], subject);
}

#[test]
fn two_different_keys_of_one_name_are_told() {
    let environment = environment();
    create(&environment, &["-b", "build/provider"]).success();
    let used = environment.home().join(".wash/keys/tester_account.nk");
    let other = environment
        .home()
        .join(".local/share/wash/keys/tester_account.nk");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::copy(&used, &other).unwrap();
    let same = create(&environment, &["-b", "build/provider"]).success();
    assert!(!same.stderr.contains("has the other key"), "{same}");

    let key = KeyPair::new_account();
    std::fs::write(&other, key.seed().unwrap()).unwrap();
    let warned = create(&environment, &["-b", "build/provider"]).success();
    let expected = format!(
        "{} is used, and {} has the other key {}",
        used.display(),
        other.display(),
        key.public_key()
    );
    let warnings = warned.json()["warnings"].clone();
    assert!(
        warnings.as_array().unwrap().contains(&json!(expected)),
        "{warned}"
    );
}

#[test]
fn an_empty_name_vendor_or_version_is_refused() {
    let environment = environment();
    for option in ["--name", "--vendor", "--version"] {
        let mut command = vec!["create", "-b", "build/provider", option, ""];
        for (other, value) in [("--name", "N"), ("--vendor", "V")] {
            if other != option {
                command.extend([other, value]);
            }
        }
        let refused = environment.par(command).exit(2);
        assert!(refused.stderr.contains(option), "{refused}");
    }
    create(&environment, &["-b", "build/provider"]).success();
    let sign = environment.par(["sign", "out.par", "--vendor", ""]);
    sign.exit(2);
}
