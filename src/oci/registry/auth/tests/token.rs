use serde_json::json;

use super::*;

/// Returns the header of an answer, and its lifetime in seconds.
fn read(answer: &Value) -> Option<(String, u64)> {
    let started = Instant::now();
    match read_token(answer.to_string().as_bytes(), started) {
        Answered::Token(header, expires) => {
            let header = header.to_str().unwrap().to_owned();
            // The lifetime is shortened by a tenth.
            let life = (expires - started) * 10 / 9;
            Some((header, life.as_secs_f64().round() as u64))
        }
        _ => None,
    }
}

#[test]
fn a_token_is_used_although_other_fields_are_malformed() {
    for (life, expected) in [
        (json!(300), 300),
        (json!("300"), 300),
        (json!(" 300 "), 300),
        (json!(300.9), 300),
        (json!("3e2"), 300),
        (json!(0), 60),
        (json!(-5), 60),
        (json!("-5"), 60),
        (json!("soon"), 60),
        (json!(null), 60),
        (json!([300]), 60),
        (json!({ "seconds": 300 }), 60),
        (json!(true), 60),
        (json!(u64::MAX), LIFE_LIMIT),
        (json!("1e300"), LIFE_LIMIT),
        (json!("NaN"), 60),
    ] {
        let answer = json!({ "token": "t", "expires_in": life, "issued_at": [1], "scope": 1 });
        assert_eq!(
            read(&answer),
            Some(("Bearer t".to_owned(), expected)),
            "{answer}"
        );
    }
    for answer in [
        json!({ "token": "", "access_token": "t" }),
        json!({ "token": null, "access_token": "t" }),
        json!({ "token": 1, "access_token": "t\n" }),
        json!({ "token": "t", "access_token": {} }),
    ] {
        assert_eq!(read(&answer), Some(("Bearer t".to_owned(), 60)), "{answer}");
    }
}

#[test]
fn an_answer_without_a_token_is_refused() {
    for answer in [
        json!([]),
        json!("t"),
        json!(null),
        json!({}),
        json!({ "token": "" }),
        json!({ "token": 1 }),
        json!({ "token": "a\nb" }),
        json!({ "refresh_token": "t" }),
    ] {
        assert_eq!(read(&answer), None, "{answer}");
    }
    assert!(matches!(
        read_token(b"<html>", Instant::now()),
        Answered::Unusable(_)
    ));
}
