//! Destinations that are inputs of the same command.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use nkeys::KeyPair;
use serde_json::json;

use super::super::good_archive;
use crate::support::{Environment, Outcome, create_arguments};

/// Returns the contents of all files.
fn contents(environment: &Environment) -> BTreeMap<String, Vec<u8>> {
    let root = environment.home();
    let root = root.parent().unwrap();
    let files = environment.files().into_iter();
    files
        .filter_map(|name| {
            // A link to a directory has no content.
            let bytes = fs::read(root.join(&name)).ok()?;
            Some((name, bytes))
        })
        .collect()
}

/// Asserts that a command refuses its destination, and changes no file.
#[track_caller]
fn refuses(environment: &Environment, command: Command, what: &str) {
    let before = contents(environment);
    let outcome = Outcome::of(command, b"").exit(2);
    assert!(outcome.stderr.contains("cannot write to"), "{outcome}");
    assert!(outcome.stderr.contains(what), "{outcome}");
    assert!(
        outcome.stderr.contains("hint: name another file"),
        "{outcome}"
    );
    assert_eq!(contents(environment), before, "{outcome}");
}

fn command(environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = environment.command();
    command.args(arguments);
    command
}

#[test]
fn an_archive_does_not_replace_a_key_a_schema_or_a_wit_file() {
    let environment = Environment::new();
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    environment.write("k/a.nk", issuer.seed().unwrap());
    environment.write("k/s.nk", subject.seed().unwrap());
    environment.write("k/public.nk", subject.public_key());
    environment.write("schema.json", "{}");
    environment.write("wit/echo.wit", "package acme:echo;\nworld echo {}\n");
    environment.write("provider", "an executable");
    environment.write(
        "../home/.wash/keys/provider_service.nk",
        subject.seed().unwrap(),
    );
    symlink("schema.json", environment.path("link")).unwrap();
    symlink("k", environment.path("keys")).unwrap();
    let key = "the file of a key";
    for (options, destination, what) in [
        (&["-i", "k/a.nk", "-s", "k/s.nk"][..], "k/a.nk", key),
        (&["-i", "k/a.nk", "-s", "k/s.nk"], "keys/s.nk", key),
        (&["-i", "k/a.nk", "-s", "k/public.nk"], "./k/public.nk", key),
        (
            &["-i", "k/a.nk"],
            "../home/.wash/keys/provider_service.nk",
            key,
        ),
        // This key would be generated.
        (&["-s", "k/s.nk", "-d", "k"], "k/tester_account.nk", key),
        (&["-j", "schema.json"], "schema.json", "the schema"),
        (&["-j", "schema.json"], "link", "the schema"),
        (
            &["--wit-directory", "wit"],
            "wit/echo.wit",
            "a file of the WIT package",
        ),
    ] {
        let more = [&["--destination", destination][..], options].concat();
        let arguments = create_arguments("provider", &more);
        refuses(&environment, command(&environment, &arguments), what);
    }
    // A file beside the inputs is written.
    let create = create_arguments("provider", &["--wit-directory", "wit"]);
    let keys = ["-i", "k/a.nk", "-s", "k/s.nk", "--destination"];
    for destination in ["wit/provider.par", "wit/provider.par", "k/provider.nk"] {
        let arguments = [&create[..], &keys, &[destination]].concat();
        environment.par(arguments).success();
    }
}

#[test]
fn a_build_does_not_replace_the_files_that_describe_the_project() {
    let environment = Environment::new();
    environment.write(
        "wasmcloud.toml",
        "language = \"rust\"\ntype = \"provider\"\n[provider]\nvendor = \"Acme\"\nconfig_schema = \"schema.json\"\n",
    );
    environment.write("Cargo.toml", "[package]\nname = \"echo\"\n");
    environment.write("schema.json", "{}");
    environment.write("wit/echo.wit", "package acme:echo;\nworld echo {}\n");
    for (destination, what) in [
        ("wasmcloud.toml", "a file of the project"),
        ("Cargo.toml", "a file of the project"),
        ("schema.json", "the schema"),
        ("wit/echo.wit", "a file of the WIT package"),
    ] {
        let arguments = ["build", "--destination", destination];
        refuses(&environment, command(&environment, &arguments), what);
    }
}

#[test]
fn a_rotation_statement_does_not_replace_a_key() {
    let environment = Environment::new();
    for (kind, name) in [("account", "old"), ("account", "new"), ("service", "svc")] {
        environment
            .par(["keys", "gen", kind, name, "-d", "k"])
            .success();
    }
    symlink("k/svc_service.nk", environment.path("link")).unwrap();
    let rotate = [
        "keys",
        "rotate",
        "-d",
        "k",
        "--from",
        "old",
        "--to",
        "k/new_account.nk",
    ];
    let rotate = [&rotate[..], &["--provider", "svc", "--destination"]].concat();
    for destination in [
        "k/old_account.nk",
        "./k/new_account.nk",
        "k/svc_service.nk",
        "link",
    ] {
        let arguments = [&rotate[..], &[destination]].concat();
        refuses(
            &environment,
            command(&environment, &arguments),
            "the file of a key",
        );
    }
    environment
        .par([&rotate[..], &["k/rotation.jwt"]].concat())
        .success();
}

#[test]
fn what_is_read_from_a_layout_does_not_replace_it() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    for layout in ["oci-archive://images.tar:1", "oci-layout://images:1"] {
        environment.par(["push", layout, "good.par"]).success();
    }
    let what = "the layout that the command reads";
    for (layout, file) in [
        ("oci-archive://images.tar:1", "images.tar"),
        ("oci-layout://images:1", "images/index.json"),
    ] {
        for arguments in [
            &["pull", layout][..],
            &["extract", layout, "--target", "x86_64-linux"],
            &["sbom", layout],
            &["discover", layout, "--get", "--type", "a/b"],
        ] {
            let arguments = [arguments, &["--destination", file]].concat();
            refuses(&environment, command(&environment, &arguments), what);
        }
    }

    environment
        .par(["verify", "oci-archive://images.tar:1"])
        .success();
}

#[test]
fn what_a_command_writes_does_not_replace_a_trust_policy_or_another_file_of_its_options() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    environment
        .par(["push", "oci-layout://images:1", "good.par"])
        .success();
    environment.write("trust.toml", "");
    environment.write("list.txt", "oci-layout://images:1\n");
    environment.write("ca.pem", "");
    let trust = ["--trust", "trust.toml", "--destination", "trust.toml"];
    let authority = ["--ca", "ca.pem", "--destination", "ca.pem"];
    let files = "a file with certificates or credentials";
    for (command_line, options, what) in [
        (&["extract", "good.par"][..], &trust[..], "the trust policy"),
        (
            &["pull", "oci-layout://images:1"],
            &trust,
            "the trust policy",
        ),
        (&["lock", "list.txt"], &trust, "the trust policy"),
        (
            &["pull", "oci-layout://images:1"],
            &["--lock-file", "list.txt", "--destination", "list.txt"],
            "the lock file",
        ),
        (&["pull", "oci-layout://images:1"], &authority, files),
        (&["extract", "oci-layout://images:1"], &authority, files),
        (&["sbom", "oci-layout://images:1"], &authority, files),
        (&["lock", "list.txt"], &authority, files),
    ] {
        let arguments = [command_line, options].concat();
        refuses(&environment, command(&environment, &arguments), what);
    }
}

#[test]
fn exported_pins_do_not_replace_the_pins() {
    let environment = Environment::new();
    let pin = environment
        .home()
        .join(".local/state/wasmcloud-par/v1/identities/x");
    fs::create_dir_all(pin.parent().unwrap()).unwrap();
    fs::write(&pin, json!({}).to_string()).unwrap();
    let arguments = ["trust", "export", "--destination", pin.to_str().unwrap()];
    refuses(
        &environment,
        command(&environment, &arguments),
        "a file of the state",
    );
}
