//! `par build --push`, the WIT directory, the schema and the keys.

use super::{RUST, command, par, write_crate};
use crate::support::{Environment, Outcome, Registry, shared_registry, unique};

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
fn in_ci_a_missing_key_directory_of_the_project_is_an_error_before_anything_is_compiled() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    let project = format!("{RUST}provider.key_directory = \"nosuch\"\n");
    environment.write("wasmcloud.toml", project);
    let mut build = command(&environment);
    build.arg("build").env("CI", "true");
    let refused = Outcome::of(build, b"").exit(2);
    assert!(
        refused
            .stderr
            .contains("the directory for keys nosuch does not exist"),
        "{refused}"
    );
    assert!(!environment.path("target").exists());
}

#[test]
fn an_option_for_the_push_is_refused_without_one_unless_a_variable_gives_it() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    environment.write("wasmcloud.toml", RUST);
    for options in [
        &["--tag", "1.2"][..],
        &["-a", "key=value"],
        &["--source"],
        &["--attach", "nosuch=application/x+json"],
        &["--if-absent"],
        &["--change-identity"],
        &["--rotation", "nosuch"],
        &["--sigstore"],
        &["--identity-token", "nosuch"],
        &["--trust", "nosuch"],
        &["--user", "jane"],
        &["--insecure"],
        &["--ca", "nosuch.pem"],
        &["--patience", "3"],
        &["--allow-latest"],
    ] {
        let refused = par(&environment, &[&["build"][..], options].concat()).exit(2);
        let option = match options[0] {
            "-a" => "--annotation",
            long => long,
        };
        let expected = format!("error: {option} needs --push\n");
        assert!(refused.stderr.starts_with(&expected), "{refused}");
    }
    assert!(!environment.path("target").exists());

    let mut build = command(&environment);
    build
        .arg("build")
        .env("PAR_TRUST", "nosuch.toml")
        .env("PAR_HOSTS_DIR", "nosuch")
        .env("PAR_CONNECTIONS", "2")
        .env("WASH_REG_USER", "jane");
    Outcome::of(build, b"").success();
}

#[test]
fn a_version_that_cannot_be_the_tag_is_refused_before_anything_is_compiled() {
    let environment = Environment::new();
    let repository = format!("{}/{}", shared_registry(), unique("built"));
    let project = format!("{RUST}registry.url = \"{repository}\"\n");
    environment.write("wasmcloud.toml", &project);
    let refused = |arguments: &[&str]| {
        let refused = par(
            &environment,
            &[&["build", "--push"][..], arguments].concat(),
        )
        .exit(2);
        let expected = format!("error: the version `1.0.0+b.1` cannot be the tag of {repository}");
        assert!(refused.stderr.contains(&expected), "{refused}");
        let hint = format!("hint: name another tag: `--push {repository}:TAG`\n");
        assert!(refused.stderr.ends_with(&hint), "{refused}");
        assert!(!environment.path("target").exists());
    };
    write_crate(&environment, "", "small", "fn main() {}");
    refused(&["--version", "1.0.0+b.1"]);
    let manifest = "[package]\nname = \"small\"\nversion = \"1.0.0+b.1\"\nedition = \"2021\"\n";
    environment.write("Cargo.toml", manifest);
    refused(&[]);
    environment.write(
        "wasmcloud.toml",
        format!("version = \"1.0.0+b.1\"\n{project}"),
    );
    refused(&[]);

    // The tag of a reference is not the version.
    let tagged = format!("{repository}:1.0.0_b.1");
    let built = par(&environment, &["build", "--push", &tagged, "-o", "json"]);
    let built = built.success().json();
    assert_eq!(built["pushed"]["url"], tagged);
    assert_eq!(built["version"], "1.0.0+b.1");
}

#[test]
fn a_go_module_without_a_version_needs_a_tag_before_it_is_compiled() {
    let environment = Environment::new();
    let repository = format!("{}/{}", shared_registry(), unique("built"));
    environment.write("go.mod", "module example.com/small\n\ngo 1.19\n");
    environment.write("main.go", "package main\n\nfunc main() {}\n");
    let project =
        format!("type = \"provider\"\nlanguage = \"go\"\nregistry.url = \"{repository}\"\n");
    environment.write("wasmcloud.toml", project);
    let refused = par(&environment, &["build", "--push"]).exit(2);
    let expected = format!("error: {repository} has no tag");
    assert!(refused.stderr.contains(&expected), "{refused}");
    assert!(!environment.path("build").exists());
}

#[test]
fn a_refusal_of_the_trust_policy_has_a_hint_that_fits_a_build() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", "fn main() {}");
    environment.write("wasmcloud.toml", RUST);
    let reference = format!("{}/{}:1", shared_registry(), unique("built"));
    let other = nkeys::KeyPair::new_account().public_key();
    for (policy, expected) in [
        (
            format!("[[rule]]\nmatch = \"*\"\nissuers = [\"{other}\"]\n"),
            "sign with a key that the trust policy allows",
        ),
        (
            "[[rule]]\nmatch = \"*\"\nmin-revision = 8\n".to_owned(),
            "build with a higher --revision",
        ),
        (
            "default = \"deny\"\n".to_owned(),
            "add a rule for the repository",
        ),
    ] {
        environment.write("trust.toml", policy);
        let push = ["build", "--push", &reference, "--trust", "trust.toml"];
        let refused = par(&environment, &push).exit(5);
        let hint = refused.stderr.lines().last().unwrap();
        assert!(hint.starts_with(&format!("hint: {expected}")), "{refused}");
        // Here, --issuer is the key that signs, and --min-revision does not exist.
        for option in ["--issuer", "--min-revision"] {
            assert!(!refused.stderr.contains(option), "{refused}");
        }
    }
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
