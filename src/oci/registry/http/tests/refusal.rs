use super::*;
use reqwest::header::HeaderValue;

fn said(content_type: &'static str, body: &str) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    parse_refusal(StatusCode::BAD_REQUEST, &headers, body.as_bytes()).to_string()
}

#[test]
fn every_body_of_a_refusal_becomes_one_line() {
    let envelope = r#"{"errors": [{"code": "TAG_INVALID", "message": "no\nway"}]}"#;
    assert_eq!(
        said("application/json", envelope),
        "HTTP 400, TAG_INVALID, no way"
    );
    assert_eq!(said("text/plain", "no\u{1b}way"), "HTTP 400, no way");
    assert!(said("text/html", "<html>").contains("a web page"));
    assert_eq!(said("application/json", "{"), "HTTP 400, Bad Request");
}

#[test]
fn retry_after_has_seconds_or_a_date() {
    let wait = |value: &'static str| {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        retry_after(&headers, now).map(|wait| wait.as_secs())
    };
    assert_eq!(wait("7"), Some(7));
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:40 GMT"), Some(3));
    assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
    assert_eq!(wait("soon"), None);
}

#[test]
fn immutable_tags_are_recognised_in_the_words_of_several_registries() {
    let answer = |status, code: &str, message: &str| Answer {
        status,
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        retry_after: None,
    };
    assert!(says_immutable(&answer(
        400,
        "TAG_INVALID",
        "the repository is immutable"
    )));
    assert!(says_immutable(&answer(403, "TAG_IMMUTABLE", "")));
    assert!(says_immutable(&answer(412, "PRECONDITION", "")));
    assert!(!says_immutable(&answer(403, "DENIED", "no permission")));
}
