//! Registries that hide private content from anonymous users with 403 or 404, and do not ask for credentials.

use serde_json::json;

use super::{LIST, basic, shows, store};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Answer, Environment, Registry, Server};
use crate::transfer::{pack_noise, text};

const HIDDEN: [&str; 2] = ["404 Not Found", "403 Forbidden"];

/// Starts a registry that answers requests without authorization with `status`, and those to the root of its API
/// with `root` and a challenge. It knows one repository and one tag.
fn hiding(status: &'static str, root: &'static str, challenge: Option<&'static str>) -> Server {
    Server::start(move |asked, address| {
        let authorized = shows(asked, "Bearer opaque") || shows(asked, &basic("jane", "secret"));
        if asked.target.starts_with("/token") {
            return match authorized {
                true => Answer::body(r#"{"token": "opaque"}"#),
                false => Answer::body(r#"{"token": "anonymous"}"#),
            };
        }
        if asked.target == "/v2/" && !authorized {
            let realm = format!("http://{address}/token");
            return match challenge {
                Some(challenge) => Answer::status(root)
                    .header("www-authenticate", challenge.replace("REALM", &realm)),
                None => Answer::status(root),
            };
        }
        match asked.target.as_str() {
            _ if !authorized => Answer::status(status),
            "/v2/org/x/tags/list" => Answer::body(LIST),
            _ => Answer::status("404 Not Found"),
        }
    })
}

#[test]
fn stored_credentials_are_tried_before_private_content_counts_as_missing() {
    for status in HIDDEN {
        for (root, challenge) in [
            ("401 Unauthorized", Some("Basic realm=x")),
            ("401 Unauthorized", Some("Bearer realm=\"REALM\"")),
            ("401 Unauthorized", None),
            ("404 Not Found", None),
            ("403 Forbidden", None),
            ("200 OK", None),
        ] {
            let registry = hiding(status, root, challenge);
            let environment = Environment::new();
            store(&environment, registry.address(), "jane", "secret");
            let reference = registry.reference("org/x");
            let listed = environment.par(["tags", &reference]).success();
            assert_eq!(listed.line(), "1.0.0");
            // The first request is anonymous, and the second one is by jane.
            assert_eq!(registry.asked("GET", "/tags/list").len(), 2);
            assert_eq!(registry.asked("GET", "/v2/").len(), 3, "the root once");
        }
    }
}

#[test]
fn without_credentials_no_second_request_is_sent() {
    for (status, code, said) in [
        ("404 Not Found", 3, "does not have the list of tags"),
        ("403 Forbidden", 4, "par login"),
    ] {
        let registry = hiding(status, "401 Unauthorized", Some("Basic realm=x"));
        let environment = Environment::new();
        store(&environment, "elsewhere.example", "jane", "secret");
        let refused = environment
            .par(["tags", &registry.reference("org/x")])
            .exit(code);
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(!refused.stderr.contains("not supported"), "{refused}");
        assert_eq!(registry.asked("GET", "").len(), 1, "{refused}");
    }
}

#[test]
fn content_that_the_user_cannot_see_either_is_missing() {
    for status in HIDDEN {
        let registry = hiding(status, "401 Unauthorized", Some("Basic realm=x"));
        let environment = Environment::new();
        store(&environment, registry.address(), "jane", "secret");
        environment
            .par(["tags", &registry.reference("org/other")])
            .exit(3);
        assert_eq!(registry.asked("GET", "/tags/list").len(), 2);
    }
}

#[test]
fn a_wrong_password_is_reported_and_the_first_answer_decides() {
    let registry = hiding("404 Not Found", "401 Unauthorized", Some("Basic realm=x"));
    let refusing = Server::start({
        let address = registry.address().to_owned();
        move |asked, _| match asked.head.get("authorization") {
            Some(_) => Answer::status("401 Unauthorized"),
            None if asked.target == "/v2/" => Answer::status("401 Unauthorized")
                .header("www-authenticate", format!("Basic realm={address}")),
            None => Answer::status("404 Not Found"),
        }
    });
    let environment = Environment::new();
    store(&environment, refusing.address(), "jane", "old");
    let refused = environment
        .par(["tags", &refusing.reference("org/x")])
        .exit(3);
    let said = "refuses the credentials of user jane";
    assert!(refused.stderr.contains(said), "{refused}");
    assert!(!refused.stderr.contains("old"), "{refused}");
}

/// Starts a proxy that answers anonymous users with 404.
fn hidden(registry: &Registry) -> Proxy {
    let hide = |method| {
        let hidden = Fault::Unauthorized("404 Not Found");
        Rule::on(method, "/v2/org/", hidden).always()
    };
    let methods = ["GET", "HEAD", "POST", "PUT"];
    Proxy::start(registry, methods.into_iter().map(hide).collect())
}

#[test]
fn stored_credentials_are_used_to_push_to_and_pull_from_a_private_repository() {
    let registry = Registry::builder().htpasswd("tester", "password").start();
    let proxy = hidden(&registry);
    let environment = Environment::new();
    store(&environment, proxy.address(), "tester", "password");
    let file = pack_noise(&environment, "provider.par", 100_000);
    let reference = proxy.reference("org/x:1.0.0");
    environment.par(["push", &reference, text(&file)]).success();
    let pull = ["pull", &reference, "--destination", "pulled.par"];
    environment.par(pull).success();
    let seen = proxy.seen("HEAD", "/v2/org/");
    assert!(
        seen.iter().filter(|seen| !seen.authorized).count() <= 2,
        "{seen:?}"
    );
    let posts = proxy.seen("POST", "/v2/org/");
    assert_eq!(
        posts.iter().filter(|seen| !seen.authorized).count(),
        1,
        "{posts:?}"
    );

    // A tag that is missing costs no more requests once the registry knows the user.
    let missing = proxy.reference("org/x:2.0.0");
    let before = proxy.seen("GET", "").len() + proxy.seen("HEAD", "").len();
    environment.par(["resolve", &missing]).exit(3);
    let after = proxy.seen("GET", "").len() + proxy.seen("HEAD", "").len();
    assert!(after - before <= 4, "{} requests", after - before);

    let stranger = Environment::new();
    let refused = stranger.par(["push", &reference, text(&file)]).exit(4);
    assert!(
        refused.stderr.contains("the repository does not exist"),
        "{refused}"
    );
}

#[test]
fn a_push_to_an_open_registry_succeeds_although_it_refuses_the_stored_credentials() {
    let registry = Registry::start();
    let refuse = |method| Rule::on(method, "/v2/", Fault::Authorized("401 Unauthorized")).always();
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE"];
    let proxy = Proxy::start(&registry, methods.into_iter().map(refuse).collect());
    let environment = Environment::new();
    store(&environment, proxy.address(), "jane", "old");
    let file = pack_noise(&environment, "provider.par", 1000);
    let reference = proxy.reference("org/x:1.0.0");
    environment.par(["push", &reference, text(&file)]).success();
}

#[test]
fn a_helper_that_fails_does_not_hide_that_content_is_missing() {
    let registry = hiding("404 Not Found", "404 Not Found", None);
    let environment = Environment::new();
    let config = json!({ "credHelpers": { registry.address(): "not-installed" } });
    environment.write("../home/.docker/config.json", config.to_string());
    environment
        .par(["tags", &registry.reference("org/x")])
        .exit(3);
}
