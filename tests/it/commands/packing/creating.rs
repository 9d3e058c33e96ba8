//! `par create`

use std::fs;

use nkeys::KeyPair;
use serde_json::json;
use wasmcloud_par::archive::Target;

use super::super::{lasting, normalized};
use crate::support::Environment;
use crate::support::archives::headed;

const CREATE: [&str; 5] = ["create", "-n", "Echo", "-v", "Acme"];

fn create(environment: &Environment, arguments: &[&str]) -> crate::support::Outcome {
    environment.par([&CREATE[..], arguments].concat())
}

fn inspect(environment: &Environment, archive: &str) -> serde_json::Value {
    environment
        .par(["inspect", archive, "-o", "json"])
        .success()
        .json()
}

fn with_provider() -> Environment {
    let environment = Environment::new();
    // An executable that runs on this machine suits its target.
    let mut executable = fs::read(std::env::current_exe().unwrap()).unwrap();
    executable.truncate(4096);
    environment.write("build/echo.bin", executable);
    environment
}

#[test]
fn all_options_of_create_end_up_in_the_archive() {
    let environment = with_provider();
    environment.write("build/arm=64", "another executable");
    environment.write("schema.json", r#"{ "type": "object" }"#);
    environment.write("wit/echo.wit", "package acme:echo;\nworld echo {}\n");
    let outcome = create(
        &environment,
        &[
            "-b",
            "build/echo.bin",
            "-a",
            "riscv64gc-linux",
            "-b",
            "aarch64-linux=build/arm=64",
            "--revision",
            "12",
            "--version",
            "1.2.3-rc.1",
            "--schema",
            "schema.json",
            "--wit-directory",
            "wit",
            "--compress",
            "--destination",
            "out.tar",
        ],
    )
    .success();
    assert_eq!(outcome.line(), "out.tar");
    let archive = fs::read(environment.path("out.tar")).unwrap();
    assert_eq!(
        archive[..2],
        [0x1f, 0x8b],
        "compressed, whatever its name says"
    );
    let mut object = inspect(&environment, "out.tar");
    let fields = object.as_object_mut().unwrap();
    fields.remove("issuer").unwrap();
    fields.remove("service").unwrap();
    let expected = json!({
        "success": true,
        "warnings": [],
        "name": "Echo",
        "vendor": "Acme",
        "version": "1.2.3-rc.1",
        "revision": "12",
        "targets": ["aarch64-linux", "riscv64gc-linux"],
        "schema": {"type": "object"},
    });
    assert_eq!(lasting(object), expected);
    let wit = environment.par(["inspect", "out.tar", "--wit"]).success();
    assert!(wit.stdout.contains("world echo"), "{wit}");
}

#[test]
fn schema_and_wit_can_come_from_the_environment() {
    let environment = with_provider();
    environment.write("schema.json", "true");
    environment.write("wit/echo.wit", "package acme:echo;\nworld echo {}\n");
    for (schema, wit) in [("schema.json", "wit"), ("", "")] {
        let mut command = environment.command();
        command
            .args(CREATE)
            .args(["-b", "build/echo.bin"])
            .env("WASH_JSON_SCHEMA", schema)
            .env("WIT_DIR", wit);
        crate::support::Outcome::of(command, b"").success();
        let has_schema = inspect(&environment, "echo.par").get("schema").is_some();
        assert_eq!(has_schema, !schema.is_empty());
        let code = environment.par(["inspect", "echo.par", "--wit"]).code;
        assert_eq!(code == 0, !wit.is_empty());
    }
}

#[test]
fn an_archive_is_named_after_the_first_binary() {
    let environment = with_provider();
    environment.write("other", "another executable");
    let plain = create(
        &environment,
        &["-b", "build/echo.bin", "-b", "arm-linux=other"],
    )
    .success();
    assert_eq!(plain.line(), "echo.par");
    let arguments = ["-b", "build/echo.bin", "--compress", "-o", "json"];
    let object = create(&environment, &arguments).success().json();
    assert_eq!(object["file"], "echo.par.gz");
    assert_eq!(object["success"], true);
    assert_eq!(object["targets"], json!([Target::host().as_str()]));
    assert_eq!(
        inspect(&environment, "echo.par.gz")["issuer"],
        object["issuer"]
    );
}

#[test]
fn a_target_with_an_unusual_name_is_packed_with_a_warning() {
    let environment = Environment::new();
    environment.write("build/echo.bin", headed("aarch64-macos", ""));
    let arguments = [
        "-b",
        "arm64-darwin=build/echo.bin",
        "--allow-unknown-target",
    ];
    create(&environment, &arguments).success();
    let outcome = create(&environment, &[&arguments[..], &["-q"]].concat()).success();
    assert_eq!(outcome.stderr, "");
    let outcome = create(&environment, &arguments).success();
    insta::assert_snapshot!(outcome.stderr, @"warning: hosts look for `aarch64-macos`, not for `arm64-darwin`");
    assert_eq!(
        inspect(&environment, "echo.par")["targets"],
        json!(["arm64-darwin"])
    );
}

#[test]
fn keys_are_generated_once_and_found_again() {
    let environment = with_provider();
    let outcome = create(&environment, &["-b", "build/echo.bin"]).success();
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    generated the account key [ROOT]/home/.wash/keys/tester_account.nk; keep it safe: the next release needs it
    generated the service key [ROOT]/home/.wash/keys/echo_service.nk; keep it safe: the next release needs it
    ");
    let first = inspect(&environment, "echo.par");
    let again = create(&environment, &["-b", "build/echo.bin", "--disable-keygen"]).success();
    assert_eq!(again.stderr, "");
    let second = inspect(&environment, "echo.par");
    assert_eq!(first["issuer"], second["issuer"]);
    assert_eq!(first["service"], second["service"]);
    let public = |name: &str| {
        environment
            .par(["keys", "get", name])
            .success()
            .line()
            .to_owned()
    };
    assert_eq!(second["issuer"], public("tester_account"));
    assert_eq!(second["service"], public("echo_service"));
}

#[test]
fn no_key_is_generated_for_an_archive_that_readers_would_refuse() {
    let environment = with_provider();
    let large = fs::File::create(environment.path("large")).unwrap();
    large.set_len((4 << 30) + 1).unwrap();
    let targets = (0..1024).map(|index| format!("a{index}-linux=build/echo.bin"));
    let mut many = vec!["--allow-unknown-target".to_owned(), "-q".to_owned()];
    many.extend(targets.flat_map(|target| ["-b".to_owned(), target]));
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (arguments, said) in [
        (&many[..], "more than 1024 entries"),
        (&["-b", "x86_64-linux=large"], "the limit is 4294967296"),
    ] {
        for compress in [&[][..], &["--compress"]] {
            let outcome = create(&environment, &[arguments, compress].concat()).exit(5);
            assert!(outcome.stderr.contains(said), "{outcome}");
        }
    }
    assert_eq!(environment.files(), ["work/build/echo.bin", "work/large"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_path_of_an_archive_is_printed_with_its_own_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let environment = with_provider();
    let name = OsStr::from_bytes(b"d\xff.par");
    let mut command = environment.command();
    command.args(CREATE);
    command
        .args(["-b", "build/echo.bin", "--destination"])
        .arg(name);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"d\xff.par\n");
    assert!(environment.path("").join(name).is_file());
}

#[test]
fn keys_may_be_seeds_or_paths_in_options_or_environment_variables() {
    let environment = with_provider();
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    let (issuer_seed, subject_seed) = (issuer.seed().unwrap(), subject.seed().unwrap());
    environment.write("keys/issuer", format!("{issuer_seed}\n"));
    environment.write("keys/subject", &subject_seed);
    let expect = |how: &str| {
        let object = inspect(&environment, "echo.par");
        assert_eq!(object["issuer"], issuer.public_key(), "{how}");
        assert_eq!(object["service"], subject.public_key(), "{how}");
        fs::remove_file(environment.path("echo.par")).unwrap();
        let is_key =
            |name: &String| name.starts_with("home/") && !name.starts_with("home/.local/state/");
        assert!(
            !environment.files().iter().any(is_key),
            "{how}: no key was made"
        );
    };
    for (issuer, subject) in [
        (issuer_seed.as_str(), subject_seed.as_str()),
        ("keys/issuer", "keys/subject"),
    ] {
        let binary = ["-b", "build/echo.bin"];
        let outcome = create(
            &environment,
            &[&binary[..], &["-i", issuer, "-s", subject]].concat(),
        );
        assert_eq!(outcome.success().stderr, "");
        expect("options");
        let mut command = environment.command();
        command
            .args(CREATE)
            .args(binary)
            .env("WASH_ISSUER_KEY", issuer)
            .env("WASH_SUBJECT_KEY", subject);
        crate::support::Outcome::of(command, b"").success();
        expect("environment");
    }
}

#[test]
fn the_provider_archive_crate_reads_created_archives() {
    let environment = with_provider();
    create(
        &environment,
        &["-b", "x86_64-linux=build/echo.bin", "--compress"],
    )
    .success();
    let load = provider_archive::ProviderArchive::try_load_file(environment.path("echo.par.gz"));
    let archive = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(load)
        .unwrap();
    assert_eq!(
        archive.target_bytes("x86_64-linux").unwrap(),
        fs::read(environment.path("build/echo.bin")).unwrap()
    );
    assert_eq!(archive.claims().unwrap().metadata.unwrap().vendor, "Acme");
}
