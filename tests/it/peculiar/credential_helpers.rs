//! Credential helpers that fail with different messages.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{Answer, Environment, Outcome, Server};

/// Starts a registry with a token service. The service gives a token to anybody, and the registry accepts it for
/// the repository `public`.
fn registry() -> Server {
    Server::start(|asked, own| {
        let authorized = asked.head.get("authorization").is_some();
        if asked.target.starts_with("/token") {
            return Answer::body(r#"{"token":"anonymous"}"#);
        }
        if authorized && asked.target == "/v2/" {
            return Answer::body("{}");
        }
        if authorized && asked.target.contains("public") {
            return Answer::body(r#"{"name":"public","tags":["1.0.0"]}"#);
        }
        let challenge = format!("Bearer realm=\"http://{own}/token\",service=\"x\"");
        Answer::status("401 Unauthorized").header("www-authenticate", challenge)
    })
}

/// Makes a user whose `config.json` names the helper `test`, which is this script; `None`: it is not installed.
fn user(script: Option<&str>, config: serde_json::Value) -> Environment {
    let environment = Environment::new();
    let directory = environment.home().join(".docker");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("config.json"), config.to_string()).unwrap();
    if let Some(script) = script {
        let path = environment.write(
            "bin/docker-credential-test",
            format!("#!/bin/sh\n{script}\n"),
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    environment
}

fn tags(environment: &Environment, reference: &str) -> Outcome {
    let path = std::env::var("PATH").unwrap();
    let mut command = environment.command();
    let bin = environment.path("bin");
    command.env("PATH", format!("{}:{path}", bin.display()));
    command.args(["tags", reference]);
    Outcome::of(command, b"")
}

const FAILURES: [(Option<&str>, &str); 8] = [
    (None, "cannot be run"),
    (Some("exit 1"), "without a message"),
    (
        Some("echo 'The specified item could not be found in the keychain.'; exit 1"),
        "could not be found",
    ),
    (
        Some("echo \"Error: x is not in the password store.\" >&2; exit 1"),
        "not in the password store",
    ),
    (
        Some("echo 'No credentials for this server' >&2; exit 3"),
        "No credentials",
    ),
    (
        Some("echo the keychain is locked >&2; exit 1"),
        "the keychain is locked",
    ),
    (Some("echo hello"), "did not print credentials"),
    (Some("kill -9 $$"), "signal: 9"),
];

#[test]
fn a_public_registry_is_read_with_a_warning_when_a_helper_fails() {
    let registry = registry();
    for (script, said) in FAILURES {
        let environment = user(script, json!({ "credsStore": "test" }));
        let outcome = tags(&environment, &registry.reference("public")).success();
        assert_eq!(outcome.line(), "1.0.0");
        assert!(outcome.stderr.contains("warning: "), "{outcome}");
        assert!(
            outcome.stderr.contains("docker-credential-test"),
            "{outcome}"
        );
        assert!(outcome.stderr.contains(said), "{outcome}");
    }
}

#[test]
fn a_refusal_after_a_failed_helper_has_the_message_of_the_helper() {
    let registry = registry();
    for (script, said) in FAILURES {
        let helpers = json!({ "credHelpers": { registry.address(): "test" } });
        let environment = user(script, helpers);
        let outcome = tags(&environment, &registry.reference("private")).exit(4);
        let error = outcome.stderr.rsplit("error: ").next().unwrap();
        assert!(error.contains("docker-credential-test"), "{outcome}");
        assert!(error.contains(said), "{outcome}");
        assert!(error.contains("config.json"), "{outcome}");
    }
}

#[test]
fn a_helper_without_credentials_is_not_a_failure() {
    let registry = registry();
    for script in [
        "echo credentials not found in native keychain; exit 1",
        "exit 0",
        "echo '{}'",
        r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#,
    ] {
        let environment = user(Some(script), json!({ "credsStore": "test" }));
        let outcome = tags(&environment, &registry.reference("public")).success();
        assert_eq!(outcome.stderr, "", "{outcome}");
        let refused = tags(&environment, &registry.reference("private")).exit(4);
        assert!(
            !refused.stderr.contains("docker-credential-test"),
            "{refused}"
        );
    }
}

#[test]
fn the_file_is_searched_when_a_helper_says_in_its_own_words_that_it_has_no_credentials() {
    let registry = super::configuration::guarded("Basic realm=\"x\"", "Basic YTpi".to_owned());
    let config = json!({
        "credsStore": "test", "auths": { registry.address(): { "auth": "YTpi" } },
    });
    for script in ["exit 1", "echo no credentials >&2; exit 1"] {
        let environment = user(Some(script), config.clone());
        tags(&environment, &registry.reference("x")).success();
    }
    // The helper fails, and may have credentials of another user.
    let environment = user(Some("echo locked; exit 1"), config);
    let outcome = tags(&environment, &registry.reference("x")).exit(4);
    assert!(outcome.stderr.contains("locked"), "{outcome}");
}

#[test]
fn a_push_without_the_helper_names_it_and_its_file() {
    let registry = crate::support::Registry::builder()
        .htpasswd("tester", "password")
        .start();
    let environment = user(None, json!({ "credsStore": "test" }));
    let archive = crate::support::archives::ArchiveBuilder::two_targets().build();
    environment.write("provider.par", archive);
    let reference = registry.reference("provider:1.0.0");
    let outcome = environment
        .par(["push", &reference, "provider.par"])
        .exit(4);
    for said in ["docker-credential-test", "cannot be run", "config.json"] {
        assert!(outcome.stderr.contains(said), "{outcome}");
    }
    // The failure is noticed before the password is sent.
    let before = registry.requests().len();
    let mut login = environment.command();
    login.args([
        "login",
        registry.address(),
        "-u",
        "tester",
        "--password-stdin",
    ]);
    let outcome = Outcome::of(login, b"password").exit(4);
    assert!(
        outcome.stderr.contains("docker-credential-test"),
        "{outcome}"
    );
    assert_eq!(registry.requests().len(), before);
    // There are no credentials that could be removed.
    let outcome = environment.par(["logout", registry.address()]).exit(4);
    assert!(
        outcome.stderr.contains("docker-credential-test"),
        "{outcome}"
    );
}

#[test]
fn doctor_reports_a_failed_helper_and_a_public_registry() {
    let registry = registry();
    let environment = user(None, json!({ "credsStore": "test" }));
    let report = environment.par(["doctor", registry.address()]).success();
    for said in [
        "note    authentication",
        "gives to anonymous users",
        "docker-credential-test",
    ] {
        assert!(report.stdout.contains(said), "{report}");
    }
}
