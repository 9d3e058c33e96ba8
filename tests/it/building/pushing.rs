//! `par build --push`, the WIT directory, the schema and the keys.

use super::{RUST, par, write_crate};
use crate::support::{Environment, Registry, shared_registry, unique};

#[test]
fn a_build_pushes_to_the_registry_of_the_project_or_to_the_given_reference() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    let repository = format!("{}/{}", shared_registry(), unique("built"));
    environment.write("wasmcloud.toml", RUST);
    let nowhere = par(&environment, &["build", "--push"]).exit(2);
    assert!(
        nowhere.stderr.contains("does not say where to push"),
        "{nowhere}"
    );
    assert!(!environment.path("target").exists());

    let project = format!(
        "{RUST}provider.config_schema = \"schema.json\"\nprovider.key_directory = \"keys\"\n\
         registry.url = \"{repository}\"\n"
    );
    environment.write("wasmcloud.toml", project);
    environment.write("schema.json", "{\"type\": \"object\"}");
    environment.write("wit/world.wit", "package org:small;\nworld provider {}\n");
    let built = par(&environment, &["build", "--push", "-o", "json"])
        .success()
        .json();
    let pushed = &built["pushed"];
    assert_eq!(pushed["url"], format!("{repository}:1.2.3"));
    assert!(environment.path("keys/small_service.nk").is_file());
    let reference = pushed["reference"].as_str().unwrap();
    let inspected = par(&environment, &["inspect", reference, "--wit", "-o", "json"]);
    let inspected = inspected.success().json();
    assert_eq!(inspected["schema"]["type"], "object");
    assert!(inspected["wit"].as_str().unwrap().contains("org:small"));

    // The path is the first line, the reference the second.
    let given = format!("{repository}:other");
    let built = par(&environment, &["build", "--push", &given, "--tag", "more"]).success();
    let lines: Vec<&str> = built.stdout.lines().collect();
    assert_eq!(lines[0], "build/small.par.gz");
    assert!(
        lines[1].starts_with(&format!("{repository}@sha256:")),
        "{built}"
    );
    par(&environment, &["resolve", &format!("{repository}:more")]).success();
    let again = ["build", "--push", &given, "--if-absent", "--revision", "9"];
    par(&environment, &again).exit(7);
}

#[test]
fn the_credentials_file_of_wash_is_used_and_never_printed() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    let registry = Registry::builder()
        .htpasswd("tester", "another-password")
        .start();
    let url = registry.reference("org/small");
    let project = format!("{RUST}registry.url = \"{url}\"\nregistry.credentials = \"c.json\"\n");
    environment.write("wasmcloud.toml", project);
    environment.write("c.json", "{\"another-password\"");
    let broken = par(&environment, &["build", "--push"]).exit(2);
    assert!(!broken.stderr.contains("another-password"), "{broken}");
    let credentials = serde_json::json!({
        registry.address(): { "username": "tester", "password": "another-password" },
    });
    environment.write("c.json", credentials.to_string());
    let built = par(&environment, &["build", "--push"]).success();
    assert!(!built.stderr.contains("another-password"), "{built}");
    // The executable needs the C library of this machine.
    let mut warnings = built
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning"));
    assert!(
        warnings.all(|line| line.contains(" is dynamic: ")),
        "{built}"
    );
}

#[test]
fn a_wit_directory_that_does_not_encode_is_an_error_only_if_it_is_named() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    environment.write(
        "wit/world.wit",
        "package org:small;\nworld w { import a:b/c; }\n",
    );
    environment.write("wasmcloud.toml", RUST);
    let built = par(&environment, &["build"]).success();
    assert!(
        built
            .stderr
            .contains("warning: the archive has no WIT world"),
        "{built}"
    );
    environment.write("wasmcloud.toml", format!("{RUST}wit = \"wit\"\n"));
    assert_ne!(par(&environment, &["build"]).code, 0);
}
