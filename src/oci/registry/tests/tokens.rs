//! Challenges, token services, and the credentials that are sent to them.

use serde_json::json;

use super::*;

#[tokio::test]
async fn credentials_are_not_sent_to_a_foreign_realm() {
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
async fn concurrent_requests_share_one_token_request() {
    let (token_address, tokens) = server(|_| answer("200 OK", "", r#"{"access_token":"abc"}"#));
    let challenge = format!(
        "WWW-Authenticate: Bearer realm=\"http://{token_address}/token?a=b\",service=\"s\"\r\n"
    );
    let (address, _) = server(move |head| {
        if head.contains("Bearer abc") {
            answer("200 OK", "", r#"{"schemaVersion":2}"#)
        } else {
            answer("401 Unauthorized", &challenge, "")
        }
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
async fn a_refused_wider_token_keeps_the_valid_one() {
    let (token_address, tokens) = server(|head| {
        if head.contains("other") {
            answer("403 Forbidden", "", "")
        } else {
            answer("200 OK", "", r#"{"token":"abc"}"#)
        }
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
async fn a_token_of_another_request_is_used_when_its_scope_fits() {
    let (token_address, tokens) = server(|head| {
        let query = head.split(' ').nth(1).unwrap();
        answer("200 OK", "", &json!({ "token": query }).to_string())
    });
    let (address, _) = server(move |head| {
        let (action, body) = if head.contains("/tags/list") {
            ("metadata_read", r#"{"tags":["1"]}"#)
        } else {
            ("pull", r#"{"schemaVersion":2}"#)
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
    // All requests are refused before the first one gets a token.
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
async fn missing_and_wrong_credentials_are_different_errors_without_the_password() {
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
async fn a_refusal_without_a_challenge_leads_to_the_root_of_the_api() {
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
