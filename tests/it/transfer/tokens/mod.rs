//! Registries with a token service. The registry is the real program, which checks the tokens.

mod actions;
mod expiry;
mod mounting;
mod realm;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::oci::{CredentialSource, Reference};

use super::{block_on, par, small, text};
use crate::support::{Environment, Outcome, Registry, Rules, TokenService, User};

const USER: &str = "tester";
const PASSWORD: &str = "password";

/// Runs `par` with the credentials of the user.
fn run<const N: usize>(environment: &Environment, arguments: [&str; N]) -> Outcome {
    let mut command = environment.command();
    command
        .args(arguments)
        .env("WASH_REG_USER", USER)
        .env("WASH_REG_PASSWORD", PASSWORD);
    Outcome::of(command, b"")
}

fn credentials() -> CredentialSource {
    CredentialSource::default().explicit(USER, PASSWORD)
}

/// Returns a client of the library with the credentials of the user.
fn client(cache: &Path) -> Client {
    let mut options = ClientOptions::default().cache_directory(cache);
    options.registry.credentials = credentials();
    Client::new(options).unwrap()
}

/// Returns how many times the registry answered with this status.
fn answers(registry: &Registry, status: u16) -> usize {
    registry.requests();
    let log = registry.log();
    let answered = format!("HTTP/1.1\" {status} ");
    log.lines().filter(|line| line.contains(&answered)).count()
}

#[test]
fn a_token_is_requested_with_the_scope_of_its_use() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let file = small(&environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    run(&environment, ["push", &reference, text(&file)]).success();
    run(&environment, ["pull", &reference, "--destination", "x.par"]).success();
    let asked = service.asked();
    let scopes: Vec<String> = asked.iter().map(|asked| asked.scopes.join(" ")).collect();
    let (push, pull) = (
        "repository:org/provider:pull,push",
        "repository:org/provider:pull",
    );
    assert!(scopes.iter().all(|scope| scope == push || scope == pull));
    assert_eq!(scopes.iter().filter(|scope| *scope == push).count(), 1);
    assert_eq!(scopes.last().map(String::as_str), Some(pull));
    assert!(
        asked
            .iter()
            .all(|asked| asked.method == "GET" && asked.who.as_deref() == Some(USER))
    );
}

#[test]
fn a_wrong_password_and_a_missing_permission_have_their_own_errors() {
    let environment = Environment::new();
    let service = TokenService::start(Rules {
        users: vec![
            User {
                name: USER,
                password: PASSWORD,
                may: &[("open/*", "pull,push"), ("*", "pull")],
            },
            User {
                name: "",
                password: "",
                may: &[("open/*", "pull")],
            },
        ],
        ..Rules::default()
    });
    let registry = service.registry();
    let file = small(&environment, "provider.par");
    let (open, closed) = (
        registry.reference("open/provider:1"),
        registry.reference("closed/provider:1"),
    );
    run(&environment, ["push", &open, text(&file)]).success();
    let denied = run(&environment, ["push", &closed, text(&file)]).exit(4);
    let expected = "does not allow user tester access";
    assert!(denied.stderr.contains(expected), "{denied}");

    let wrong = ["inspect", &open, "-u", USER, "-p", "wrong"];
    let denied = par(&environment, wrong).exit(4);
    let expected = "refused the credentials of user tester";
    assert!(denied.stderr.contains(expected), "{denied}");

    // Anonymous users may read one repository, and do nothing else.
    par(&environment, ["inspect", &open]).success();
    for arguments in [
        ["push", &open, text(&file)],
        ["inspect", &closed, "--no-progress"],
    ] {
        let denied = par(&environment, arguments).exit(4);
        assert!(denied.stderr.contains("requires credentials"), "{denied}");
    }
}

#[test]
fn concurrent_pulls_request_one_token() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let file = small(&environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    run(&environment, ["push", &reference, text(&file)]).success();
    let before = service.asked().len();

    // The delay is long enough for all pulls to wait for the token.
    service.change(|rules| rules.delay = Duration::from_millis(300));
    let directory = tempfile::tempdir().unwrap();
    block_on(async {
        let client = Arc::new(client(directory.path()));
        let pulls = (0..16).map(|number| {
            let client = Arc::clone(&client);
            let reference: Reference = reference.parse().unwrap();
            let path = directory.path().join(number.to_string());
            tokio::spawn(async move { client.pull(&reference, Some(&path), None).await.map(drop) })
        });
        for pull in pulls.collect::<Vec<_>>() {
            pull.await.unwrap().unwrap();
        }
    });
    assert_eq!(service.asked().len() - before, 1);
}

#[test]
fn an_identity_token_is_exchanged_and_a_revoked_one_is_denied() {
    let environment = Environment::new();
    let service = TokenService::start(Rules {
        users: vec![User {
            name: "identity",
            password: "",
            may: &[("*", "pull,push")],
        }],
        is_access_token: true,
        expires_in: None,
        ..Rules::default()
    });
    let registry = service.registry();
    let entry = json!({ "identitytoken": "identity" });
    let config = json!({ "auths": { registry.address(): entry } });
    environment.write("../home/.docker/config.json", config.to_string());
    let file = small(&environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    par(&environment, ["push", &reference, text(&file)]).success();
    for asked in service.asked() {
        assert_eq!(
            (asked.method.as_str(), asked.who.as_deref()),
            ("POST", Some("identity"))
        );
    }

    service.change(|rules| rules.users.clear());
    let denied = par(&environment, ["inspect", &reference]).exit(4);
    let expected = "refused the credentials of the stored identity token";
    assert!(denied.stderr.contains(expected), "{denied}");
}
