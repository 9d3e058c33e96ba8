//! Who is asking: challenges, token services, and what they are told.

use serde_json::json;

use super::*;

#[tokio::test]
async fn credentials_do_not_go_to_a_strange_realm() {
    let challenge = "WWW-Authenticate: Bearer realm=\"http://evil.example/token\"\r\n";
    let (address, _) = server(move |_| answer("401 Unauthorized", challenge, ""));
    let error = repository(&address, Some(("me", "hunter2")))
        .manifest("1")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::RealmRefused { .. }));
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn one_token_serves_all_who_wait_for_it() {
    let (token_address, tokens) = server(|_| answer("200 OK", "", r#"{"access_token":"abc"}"#));
    let challenge = format!(
        "WWW-Authenticate: Bearer realm=\"http://{token_address}/token?a=b\",service=\"s\"\r\n"
    );
    let (address, _) = server(move |head| match head.contains("Bearer abc") {
        true => answer("200 OK", "", r#"{"schemaVersion":2}"#),
        false => answer("401 Unauthorized", &challenge, ""),
    });
    let repository = repository(&address, Some(("me", "hunter2")));
    let (one, two) = tokio::join!(repository.manifest("1"), repository.manifest("2"));
    one.unwrap();
    two.unwrap();
    let tokens = tokens.lock().unwrap();
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0].contains("/token?a=b&service=s&scope=repository%3Aorg%2Fprovider%3Apull"));
    assert!(
        tokens[0]
            .to_lowercase()
            .contains("authorization: basic bwu6ahvudgvymg==")
    );
}

#[tokio::test]
async fn a_token_that_is_not_given_for_more_leaves_the_one_at_hand() {
    let (token_address, tokens) = server(|head| match head.contains("other") {
        true => answer("403 Forbidden", "", ""),
        false => answer("200 OK", "", r#"{"token":"abc"}"#),
    });
    let challenge = move |scope: &str| {
        format!(
            "WWW-Authenticate: Bearer realm=\"http://{token_address}/token\",scope=\"{scope}\"\r\n"
        )
    };
    let ours = "repository:org/provider:pull";
    let (address, _) = server(move |head| {
        if !head.contains("Bearer abc") {
            answer("401 Unauthorized", &challenge(ours), "")
        } else if head.contains("manifests/2") {
            let both = format!("{ours} repository:other/provider:pull");
            answer("401 Unauthorized", &challenge(&both), "")
        } else {
            answer("200 OK", "", r#"{"schemaVersion":2}"#)
        }
    });
    let repository = repository(&address, Some(("me", "hunter2")));
    repository.manifest("1").await.unwrap();
    let error = repository.manifest("2").await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    repository.manifest("1").await.unwrap();
    assert_eq!(tokens.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_token_that_others_got_meanwhile_is_used_when_it_is_for_what_the_registry_asks_for() {
    let (token_address, tokens) = server(|head| {
        let query = head.split(' ').nth(1).unwrap();
        answer("200 OK", "", &json!({ "token": query }).to_string())
    });
    let (address, _) = server(move |head| {
        let (action, body) = match head.contains("/tags/list") {
            true => ("metadata_read", r#"{"tags":["1"]}"#),
            false => ("pull", r#"{"schemaVersion":2}"#),
        };
        if head.contains("Bearer") && head.contains(action) {
            return answer("200 OK", "", body);
        }
        let challenge = format!(
            "WWW-Authenticate: Bearer realm=\"http://{token_address}/token\",\
             scope=\"repository:org/provider:{action}\"\r\n"
        );
        answer("401 Unauthorized", &challenge, "")
    });
    let repository = repository(&address, None);
    // All of them are refused before the first of them gets a token.
    let (one, tags, two) = tokio::join!(
        repository.manifest("1"),
        repository.tags(),
        repository.manifest("2"),
    );
    one.unwrap();
    two.unwrap();
    assert_eq!(tags.unwrap(), ["1"]);
    assert!(tokens.lock().unwrap().len() <= 2);
    repository.manifest("1").await.unwrap();
    repository.tags().await.unwrap();
    assert!(tokens.lock().unwrap().len() <= 2);
}

#[tokio::test]
async fn missing_and_wrong_credentials_are_told_apart_without_telling_the_password() {
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let (address, _) = server(move |_| answer("401 Unauthorized", challenge, ""));
    let error = repository(&address, None).manifest("1").await.unwrap_err();
    assert!(matches!(error, Error::CredentialsMissing { .. }));
    let error = repository(&address, Some(("me", "hunter2")))
        .manifest("1")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::CredentialsRefused { .. }));
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[tokio::test]
async fn a_registry_that_refuses_without_saying_how_to_ask_is_asked_at_its_root() {
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let (address, requests) = server(move |head| {
        if head.contains("authorization: Basic") {
            answer("200 OK", "", r#"{"schemaVersion":2}"#)
        } else if head.starts_with("GET /v2/ ") {
            answer("401 Unauthorized", challenge, "")
        } else {
            answer("401 Unauthorized", "", "")
        }
    });
    let repository = repository(&address, Some(("me", "hunter2")));
    repository.manifest("1").await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 3);
    repository.manifest("1").await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 4);
}
