//! Registries that have words of their own for what a token is to allow.

use super::*;
use crate::support::proxy::{Fault, Head, Proxy, Rule};

/// Asks for `theirs` where the registry asks for `ours`.
fn ask_for(answer: &mut Head, ours: &str, theirs: &str) {
    if let Some(challenge) = answer.get("www-authenticate") {
        let challenge = challenge.replace(&format!(":{ours}\""), &format!(":{theirs}\""));
        answer.set("www-authenticate", challenge);
    }
}

/// A registry behind `service` with `org/provider:1.0.0`, and the digest of that.
fn site(environment: &Environment, service: &TokenService) -> (Registry, String) {
    let registry = service.registry();
    let file = small(environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    let pushed = run(environment, ["push", &reference, text(&file)]).success();
    let (_, digest) = pushed.line().split_once('@').unwrap();
    (registry, digest.to_owned())
}

fn last_asked_for(service: &TokenService) -> Vec<String> {
    service.asked().pop().unwrap().scopes
}

#[test]
fn a_list_of_tags_that_takes_an_action_of_its_own_is_read() {
    // Azure Container Registry.
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let (registry, _) = site(&environment, &service);
    let edit = Fault::edit(|answer| ask_for(answer, "pull", "metadata_read"));
    let proxy = Proxy::start(&registry, vec![Rule::on("GET", "/tags/list", edit)]);
    let tags = run(&environment, ["tags", &proxy.reference("org/provider")]).success();
    assert_eq!(tags.stdout, "1.0.0\n");
    let expected = ["repository:org/provider:pull,metadata_read"];
    assert_eq!(last_asked_for(&service), expected);
}

#[test]
fn deletion_is_asked_for_in_the_words_of_the_registry() {
    // Quay.
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
    let edit = Fault::edit(|answer| ask_for(answer, "delete", "*"));
    let proxy = Proxy::start(&registry, vec![Rule::on("DELETE", "/manifests/", edit)]);
    let delete = |host: &str| {
        let pinned = format!("{host}/org/provider@{digest}");
        run(&environment, ["delete", &pinned, "--force"])
    };
    // The registry itself asks for what its token service has never heard of. That is no word about
    // the password.
    let refused = delete(registry.address()).exit(1);
    assert!(refused.stderr.contains("HTTP 400"), "{refused}");
    assert!(
        !refused.stderr.contains("refused the credentials"),
        "{refused}"
    );

    delete(proxy.address()).success();
    assert_eq!(last_asked_for(&service), ["repository:org/provider:*"]);
}
