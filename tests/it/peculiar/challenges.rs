//! Registries and token services that ask for credentials in unusual ways.

mod identity_tokens;
mod private;

use data_encoding::BASE64;
use serde_json::json;

use crate::support::{Answer, Asked, Environment, Outcome, Server};

const LIST: &str = r#"{"name": "org/x", "tags": ["1.0.0"]}"#;

/// Stores credentials as `docker login` does.
fn store(environment: &Environment, registry: &str, user: &str, password: &str) {
    let auth = BASE64.encode(format!("{user}:{password}").as_bytes());
    let config = json!({ "auths": { registry: { "auth": auth } } });
    environment.write("../home/.docker/config.json", config.to_string());
}

/// The header of a user and a password.
fn basic(user: &str, password: &str) -> String {
    let encoded = BASE64.encode(format!("{user}:{password}").as_bytes());
    format!("Basic {encoded}")
}

/// Returns whether a request has this `Authorization`.
fn shows(asked: &Asked, authorization: &str) -> bool {
    asked.head.get("authorization") == Some(authorization)
}

/// Starts a registry that answers requests without the right authorization with these challenges. `REALM` in
/// them is the URL of its token service.
fn challenging(challenges: &'static [&'static str], token_answer: &str) -> Server {
    let token_answer = token_answer.to_owned();
    Server::start(move |asked, address| {
        if asked.target.starts_with("/token") {
            return match shows(asked, &basic("jane", "secret")) {
                true => Answer::body(token_answer.clone()),
                false => Answer::status("401 Unauthorized"),
            };
        }
        let authorized = ["Bearer opaque", &basic("jane", "secret")];
        if authorized.iter().any(|value| shows(asked, value)) {
            return Answer::body(LIST);
        }
        let realm = format!("http://{address}/token");
        let refused = Answer::status("401 Unauthorized");
        challenges.iter().fold(refused, |answer, challenge| {
            answer.header("WWW-Authenticate", challenge.replace("REALM", &realm))
        })
    })
}

/// Lists the tags of a repository as jane.
fn tags(registry: &Server) -> Outcome {
    let environment = Environment::new();
    store(&environment, registry.address(), "jane", "secret");
    environment.par(["tags", &registry.reference("org/x")])
}

#[test]
fn a_known_scheme_is_found_in_unusual_challenges() {
    for challenges in [
        &["Basic realm=/"] as &[_],
        &["Basic"],
        &["basic realm=Registry Realm"],
        &["BASIC REALM='x',"],
        &["Basic realm=\"unclosed"],
        &["Negotiate, Basic realm=\"r\""],
        &["Negotiate YIIJvwYGKw==, Basic realm=\"r\""],
        &["NTLM, Negotiate, Basic realm=\"r\", Digest realm=x"],
        &["Digest realm=x qop=\"auth,auth-int\" nonce=a==, Basic realm=\"r\""],
        &["Negotiate", "NTLM", "Basic realm=\"\""],
        &["Basic realm=\"Zürich\", charset=\"UTF-8\""],
    ] {
        let registry = challenging(challenges, "");
        tags(&registry).success();
    }
    // These answers have no challenge.
    for challenges in [&[] as &[_], &[""], &[" ", ""]] {
        tags(&challenging(challenges, "")).success();
    }
    for challenges in [
        &["Negotiate, Bearer realm=\"REALM\",service=\"s\""] as &[_],
        &["NTLM", "Bearer realm=\"REALM\""],
        &["Bearer realm=REALM,service=s"],
        &["Bearer realm=REALM,service=s,scope=repository:org/x:pull,push"],
        &["bearer Realm=\"REALM\" SERVICE=\"s\""],
        &["Bearer realm='REALM', service='s',"],
        &["Bearer , realm=\"REALM\",, service=\"s\""],
        &["Bearer realm=\"REALM\",realm=\"http://elsewhere.example/\""],
        &["Bearer service=,scope=\"\",realm = \"REALM\""],
        &["Bearer service=\"Dépôt\",realm=\"REALM\""],
        &["Basic realm=x, Bearer realm=\"REALM\""],
    ] {
        let registry = challenging(challenges, r#"{"token": "opaque"}"#);
        tags(&registry).success();
        let scope = "scope=repository%3Aorg%2Fx%3Apull";
        assert_eq!(registry.asked("GET", scope).len(), 1, "{challenges:?}");
    }
}

#[test]
fn the_error_shows_a_challenge_of_an_unknown_scheme() {
    let registry = challenging(&["Negotiate, Digest realm=x"], "");
    let refused = tags(&registry).exit(4);
    let said = "a kind of authentication that is not supported: Negotiate, Digest realm=x";
    assert!(refused.stderr.contains(said), "{refused}");
    assert_eq!(registry.asked("GET", "").len(), 1, "{refused}");
}

#[test]
fn a_token_is_used_whatever_the_rest_of_the_answer_is() {
    for answer in [
        json!({ "token": "opaque", "expires_in": "300" }),
        json!({ "token": "opaque", "expires_in": -1.5, "issued_at": 17 }),
        json!({ "token": "opaque", "expires_in": null, "scope": ["a"] }),
        json!({ "token": "opaque", "expires_in": 1e30, "issued_at": "yesterday" }),
        json!({ "token": "", "access_token": "opaque", "expires_in": 0 }),
        json!({ "token": {}, "access_token": "opaque", "expires_in": {} }),
        json!({ "token": "Bearer opaque" }),
        json!({ "token": "bearer  opaque\n" }),
    ] {
        let challenges = &["Bearer realm=\"REALM\""];
        tags(&challenging(challenges, &answer.to_string())).success();
        let with_mark = format!("\u{feff}{answer}");
        tags(&challenging(challenges, &with_mark)).success();
    }
}

#[test]
fn an_answer_without_a_token_names_the_token_service_and_is_final() {
    for answer in ["<html>Welcome</html>", "[]", "{}", r#"{"token": 7}"#, ""] {
        let registry = challenging(&["Bearer realm=\"REALM\""], answer);
        let refused = tags(&registry).exit(1);
        let said = format!(
            "the token service http://{}/token gave no",
            registry.address()
        );
        assert!(refused.stderr.contains(&said), "{refused}");
        assert!(refused.stderr.contains("ask the operator"), "{refused}");
        assert_eq!(registry.asked("GET", "/token").len(), 1, "{refused}");
    }
}

#[test]
fn a_token_service_that_fails_is_named_and_asked_again_only_when_that_may_help() {
    const OPERATOR: &str = "ask the operator of the registry";
    for (status, code, asked, hint) in [
        ("501 Not Implemented", 1, 1, OPERATOR),
        ("404 Not Found", 1, 1, OPERATOR),
        ("429 Too Many Requests", 6, 2, "hint: wait, or log in"),
        ("503 Service Unavailable", 6, 2, ""),
    ] {
        let service = Server::start(move |_, _| Answer::status(status));
        let realm = format!("http://{}/token", service.address());
        let registry = Server::start(move |_, _| {
            let challenge = format!("Bearer realm=\"{realm}\"");
            Answer::status("401 Unauthorized").header("www-authenticate", challenge)
        });
        let environment = Environment::new();
        store(&environment, registry.address(), "jane", "secret");
        let tags = ["tags", &registry.reference("org/x"), "--patience", "2"];
        let failed = environment.par(tags).exit(code);
        assert!(failed.stderr.contains(hint), "{failed}");
        assert_eq!(
            failed.stderr.contains("hint:"),
            !hint.is_empty(),
            "{failed}"
        );
        let said = format!(
            "the token service http://{}/token failed",
            service.address()
        );
        assert!(failed.stderr.contains(&said), "{failed}");
        let times = service.asked("GET", "/token").len();
        assert!(times == asked || asked > 1 && times > 1, "{failed}");
    }
}

#[test]
fn a_token_service_that_has_moved_is_followed_within_the_domain_of_the_registry() {
    let served = |location: fn(&str) -> String| {
        Server::start(move |asked, address| match asked.target.as_str() {
            "/v2/org/x/tags/list" if shows(asked, "Bearer opaque") => Answer::body(LIST),
            target if target.starts_with("/token") => {
                Answer::status("301 Moved Permanently").header("location", location(address))
            }
            "/new" if shows(asked, &basic("jane", "secret")) => {
                Answer::body(r#"{"token": "opaque"}"#)
            }
            _ => Answer::status("401 Unauthorized").header(
                "www-authenticate",
                format!("Bearer realm=\"http://{address}/token\""),
            ),
        })
    };
    tags(&served(|_| "/new".to_owned())).success();
    tags(&served(|address| format!("http://{address}/new"))).success();
    let moved = served(|_| "https://token.example/new".to_owned());
    let refused = tags(&moved).exit(4);
    assert!(
        refused.stderr.contains("https://token.example/new"),
        "{refused}"
    );
    assert!(refused.stderr.contains("was not asked"), "{refused}");
    let endless = served(|_| "/token".to_owned());
    tags(&endless).exit(1);
    assert_eq!(endless.asked("GET", "/token").len(), 6);
}

#[test]
fn a_permanent_status_does_not_count_as_unavailable() {
    for status in [
        "501 Not Implemented",
        "505 Version",
        "400 Bad Request",
        "418 Teapot",
    ] {
        let registry = Server::start(move |_, _| Answer::status(status));
        tags(&registry).exit(1);
        assert_eq!(registry.asked("GET", "/v2/org/x").len(), 1, "{status}");
    }
}
