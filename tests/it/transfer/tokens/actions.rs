//! Registries with their own names for the actions that a token allows.

use super::*;
use crate::support::proxy::{Fault, Head, Proxy, Rule};

/// Replaces the action `ours` by `theirs` in the challenge of the registry.
fn replace_action(answer: &mut Head, ours: &str, theirs: &str) {
    if let Some(challenge) = answer.get("www-authenticate") {
        let challenge = challenge.replace(&format!(":{ours}\""), &format!(":{theirs}\""));
        answer.set("www-authenticate", challenge);
    }
}

/// Returns a registry behind `service` with `org/provider:1.0.0`, and the digest of that manifest.
fn site(environment: &Environment, service: &TokenService) -> (Registry, String) {
    let registry = service.registry();
    let file = small(environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    let pushed = run(environment, ["push", &reference, text(&file)]).success();
    let (_, digest) = pushed.line().split_once('@').unwrap();
    (registry, digest.to_owned())
}

/// Returns the scopes of the last request for a token.
fn last_scopes(service: &TokenService) -> Vec<String> {
    service.asked().pop().unwrap().scopes
}

#[test]
fn tags_are_listed_where_that_is_an_action_of_its_own() {
    // Azure Container Registry has such an action.
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let (registry, _) = site(&environment, &service);
    let edit = Fault::edit(|answer| replace_action(answer, "pull", "metadata_read"));
    let proxy = Proxy::start(&registry, vec![Rule::on("GET", "/tags/list", edit)]);
    let tags = run(&environment, ["tags", &proxy.reference("org/provider")]).success();
    assert_eq!(tags.stdout, "1.0.0\n");
    let expected = ["repository:org/provider:pull,metadata_read"];
    assert_eq!(last_scopes(&service), expected);
}

#[test]
fn a_deletion_uses_the_action_that_the_registry_names() {
    // Quay names such an action.
    let environment = Environment::new();
    let service = TokenService::start(Rules {
        users: vec![User {
            name: USER,
            password: PASSWORD,
            may: &[("*", "pull,push,*")],
        }],
        known: Some(&["pull", "push", "*"]),
        ..Rules::default()
    });
    let (registry, digest) = site(&environment, &service);
    let edit = Fault::edit(|answer| replace_action(answer, "delete", "*"));
    let proxy = Proxy::start(&registry, vec![Rule::on("DELETE", "/manifests/", edit)]);
    let delete = |host: &str| {
        let pinned = format!("{host}/org/provider@{digest}");
        run(&environment, ["delete", &pinned, "--force"])
    };
    // The registry itself names an action that its token service does not know. That error is not about
    // the password.
    let refused = delete(registry.address()).exit(1);
    assert!(refused.stderr.contains("HTTP 400"), "{refused}");
    assert!(
        !refused.stderr.contains("refused the credentials"),
        "{refused}"
    );

    delete(proxy.address()).success();
    assert_eq!(last_scopes(&service), ["repository:org/provider:*"]);
}
