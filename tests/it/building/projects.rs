//! Project files, without compiling anything.

use super::{RUST, par, write_crate};
use crate::support::Environment;

#[test]
fn a_directory_without_a_project_file_gets_one_by_init() {
    let environment = Environment::new();
    let absent = par(&environment, &["build"]).exit(3);
    assert!(
        absent.stderr.contains("there is no wasmcloud.toml"),
        "{absent}"
    );
    assert!(absent.stderr.contains("`par init`"), "{absent}");
    let nothing = par(&environment, &["init"]).exit(3);
    assert!(
        nothing.stderr.contains("neither a Cargo.toml nor a go.mod"),
        "{nothing}"
    );

    write_crate(&environment, "sub", "key-value", "fn main() {}");
    let written = par(&environment, &["init", "sub", "--registry", "r.example/p"]).success();
    assert_eq!(written.line(), "sub/wasmcloud.toml");
    let text = std::fs::read_to_string(environment.path("sub/wasmcloud.toml")).unwrap();
    insta::assert_snapshot!(text, @r#"
    # The name and the version are those of the crate.
    language = "rust"
    type = "provider"

    [provider]
    vendor = "NoVendor"
    bin_name = "key-value"

    [registry]
    url = "r.example/p"
    "#);
    par(&environment, &["init", "sub"]).exit(7);
}

#[test]
fn components_are_refused_with_the_tool_that_builds_them() {
    let environment = Environment::new();
    environment.write(
        "wasmcloud.toml",
        "name = \"x\"\nlanguage = \"rust\"\ntype = \"component\"\n",
    );
    let refused = par(&environment, &["build", "-o", "json"]).exit(2);
    let error = &refused.json()["error"];
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("wasmcloud.toml:3:8: this project is a component"),
        "{refused}"
    );
    assert!(
        error["hint"].as_str().unwrap().contains("`wkg oci push`"),
        "{refused}"
    );
}

#[test]
fn an_unknown_key_is_warned_about_and_a_wrong_value_is_an_error() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    environment.write("other.toml", format!("{RUST}[provider]\nvender = \"x\"\n"));
    let arguments = [
        "build",
        "--config-path",
        "other.toml",
        "--bin",
        "absent",
        "-o",
        "json",
    ];
    let warned = par(&environment, &arguments).exit(3).json();
    assert_eq!(
        warned["warnings"][0],
        "other.toml:4:1: unknown key `provider.vender`; is `vendor` meant?"
    );
    environment.write("wasmcloud.toml", format!("{RUST}revision = \"1\"\n"));
    let wrong = par(&environment, &["build"]).exit(2);
    assert!(
        wrong.stderr.starts_with("error: wasmcloud.toml:3:12: "),
        "{wrong}"
    );
}

#[test]
fn a_directory_that_is_not_there_is_reported_with_the_file_that_names_it() {
    let environment = Environment::new();
    environment.write("wasmcloud.toml", format!("{RUST}path = \"nosuchdir\"\n"));
    let absent = par(&environment, &["build"]).exit(3);
    let expected =
        "error: cannot use the directory nosuchdir, which `path` in wasmcloud.toml names: ";
    assert!(absent.stderr.starts_with(expected), "{absent}");
    assert!(!absent.stderr.contains("install"), "{absent}");

    environment.write("nosuchdir", "");
    let file = par(&environment, &["build"]).exit(2);
    assert!(file.stderr.starts_with(expected), "{file}");

    let absent = par(&environment, &["init", "absent", "--language", "rust"]).exit(3);
    let expected = "error: cannot start cargo in the directory absent: ";
    assert!(absent.stderr.starts_with(expected), "{absent}");
    assert!(!absent.stderr.contains("install"), "{absent}");
}

#[test]
fn a_compiler_that_is_not_there_is_to_be_installed_only_if_it_is_not_a_path() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    for (compiler, hint) in [
        ("nosuch-cargo", Some("install nosuch-cargo")),
        ("nosuch/cargo", None),
    ] {
        let project = format!("{RUST}rust.cargo_path = \"{compiler}\"\n");
        environment.write("wasmcloud.toml", project);
        let absent = par(&environment, &["build", "-o", "json"]).exit(3).json();
        let error = &absent["error"];
        let message = error["message"].as_str().unwrap();
        let expected = format!("cannot start {compiler}");
        assert!(message.starts_with(&expected), "{absent}");
        let found = error["hint"].as_str();
        assert_eq!(found.is_some(), hint.is_some(), "{absent}");
        assert!(
            found
                .unwrap_or_default()
                .starts_with(hint.unwrap_or_default())
        );
    }
}
