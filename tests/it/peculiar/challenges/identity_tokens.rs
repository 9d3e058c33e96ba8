//! Identity tokens, and token services that do not exchange them.

use data_encoding::BASE64;
use serde_json::json;

use super::{LIST, basic, shows};
use crate::support::{Answer, Environment, Outcome, Server};

/// Starts a registry whose token service answers the exchange of an identity token with `post`, and the same
/// token as a password with `get`.
fn registry(post: Answer, get: Answer) -> Server {
    Server::start(move |asked, address| {
        if asked.target.starts_with("/token") {
            return match asked.method.as_str() {
                "POST" => post.clone(),
                _ if ["<token>", "jane"]
                    .iter()
                    .any(|user| shows(asked, &basic(user, "identity"))) =>
                {
                    get.clone()
                }
                _ => Answer::status("401 Unauthorized"),
            };
        }
        if shows(asked, "Bearer opaque") {
            return Answer::body(LIST);
        }
        let challenge = format!("Bearer realm=\"http://{address}/token\",service=\"s\"");
        Answer::status("401 Unauthorized").header("www-authenticate", challenge)
    })
}

fn tags(registry: &Server) -> Outcome {
    let environment = Environment::new();
    let entry = json!({ "identitytoken": "identity" });
    let config = json!({ "auths": { registry.address(): entry } });
    environment.write("../home/.docker/config.json", config.to_string());
    environment.par(["tags", &registry.reference("org/x")])
}

fn token() -> Answer {
    Answer::body(r#"{"token": "opaque"}"#)
}

#[test]
fn an_identity_token_is_sent_as_a_password_to_a_service_that_does_not_exchange_it() {
    for status in [
        "404 Not Found",
        "405 Method Not Allowed",
        "501 Not Implemented",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "411 Length Required",
        "415 Unsupported Media Type",
        "302 Found",
        "500 Internal Server Error",
        // A web page in the place of a token.
        "200 OK",
    ] {
        let registry = registry(Answer::status(status), token());
        tags(&registry).success();
        assert_eq!(registry.asked("POST", "/token").len(), 1);
        assert_eq!(registry.asked("GET", "/token").len(), 1);
    }
    // The user is the stored one.
    let server = registry(Answer::status("405 Method Not Allowed"), token());
    let environment = Environment::new();
    let entry = json!({ "auth": BASE64.encode(b"jane:"), "identitytoken": "identity" });
    let config = json!({ "auths": { server.address(): entry } });
    environment.write("../home/.docker/config.json", config.to_string());
    environment
        .par(["tags", &server.reference("org/x")])
        .success();
    let asked = server.asked("GET", "/token").remove(0);
    assert!(shows(&asked, &basic("jane", "identity")));
    // A service that exchanges the token does not get it as a password.
    let registry = registry(token(), token());
    tags(&registry).success();
    assert!(registry.asked("GET", "/token").is_empty());
    let form = String::from_utf8(registry.asked("POST", "/token").remove(0).body).unwrap();
    let exchange =
        "service=s&grant_type=refresh_token&client_id=wasmcloud-par&refresh_token=identity";
    assert!(form.starts_with(exchange), "{form}");
}

#[test]
fn a_token_service_that_takes_no_identity_tokens_is_named() {
    let unsupported =
        Answer::status("400 Bad Request").with_body(r#"{"error": "unsupported_grant_type"}"#);
    for post in [
        Answer::status("404 Not Found"),
        Answer::status("405 Method Not Allowed"),
        Answer::status("415 Unsupported Media Type"),
        unsupported,
    ] {
        let registry = registry(post, Answer::status("401 Unauthorized"));
        let refused = tags(&registry).exit(4);
        let service = format!("http://{}/token", registry.address());
        let said = format!("the token service {service} takes no identity tokens");
        assert!(refused.stderr.contains(&said), "{refused}");
        assert!(
            !refused.stderr.contains("check user and password"),
            "{refused}"
        );
        assert!(refused.stderr.contains("par login"), "{refused}");
    }
}

#[test]
fn the_error_says_that_a_revoked_identity_token_is_refused() {
    let revoked = Answer::status("400 Bad Request").with_body(r#"{"error": "invalid_grant"}"#);
    for post in [revoked, Answer::status("401 Unauthorized")] {
        let registry = registry(post, Answer::status("401 Unauthorized"));
        let refused = tags(&registry).exit(4);
        let said = "refused the credentials of the stored identity token";
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(
            !refused.stderr.contains("check user and password"),
            "{refused}"
        );
    }
}
