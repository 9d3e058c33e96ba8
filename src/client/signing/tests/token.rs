use super::*;

/// Returns a token with these claims.
fn token(claims: &str) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!(
        "{}.{}.{}",
        part("{\"alg\":\"RS256\"}"),
        part(claims),
        part("the signature")
    )
}

#[test]
fn a_token_says_when_it_expires_and_nothing_else_is_shown() {
    let text = token(r#"{"sub":"repo:acme/demo","exp":1700000000.5}"#);
    let parsed = IdentityToken::new(&format!("{text}\n")).unwrap();
    assert_eq!(parsed.expires(), unix_time(1_700_000_000));
    let shown = format!("{parsed:?}");
    assert_eq!(shown, "IdentityToken { .. }");
}

#[test]
fn a_text_that_is_no_token_is_refused_and_not_repeated() {
    let without = [
        String::new(),
        "hidden".to_owned(),
        "hidden.hidden.hidden".to_owned(),
        "a.b".to_owned(),
        token(r#"{"sub":"hidden"}"#),
        token(r#"{"exp":1}"#),
        token(r#"{"exp":"hidden","sub":"a"}"#),
        format!("{}.x", token(r#"{"exp":1,"sub":"a"}"#)),
        "a".repeat(LONGEST + 1),
    ];
    for text in without {
        let error = IdentityToken::new(&text).unwrap_err();
        assert!(matches!(error, SigningError::Token(_)), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hidden"),
            "{error:?}"
        );
    }
}

#[test]
fn an_expired_token_is_refused_with_the_time() {
    let parsed = IdentityToken::new(&token(r#"{"sub":"a","exp":1700000000}"#)).unwrap();
    parsed.check(unix_time(1_699_999_999)).unwrap();
    let error = parsed.check(unix_time(1_700_000_000)).unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "the identity token expired at 2023-11-14T22:13:20Z");
}

#[cfg(feature = "sigstore")]
#[test]
fn the_proof_is_about_the_mail_address_or_else_the_subject() {
    let of = |claims| IdentityToken::new(&token(claims)).unwrap();
    assert_eq!(of(r#"{"sub":"a","exp":1}"#).identity(), "a");
    let empty = of(r#"{"sub":"a","email":"","exp":1}"#);
    assert_eq!(empty.identity(), "a");
    let both = of(r#"{"sub":"a","email":"dev@acme.test","exp":1}"#);
    assert_eq!(both.identity(), "dev@acme.test");
}

#[cfg(feature = "sigstore")]
#[test]
fn a_text_that_repeats_a_part_of_the_token_is_recognized() {
    let text = token(r#"{"sub":"repo:acme/demo","exp":1700000000}"#);
    let parsed = IdentityToken::new(&text).unwrap();
    let cut: String = text.chars().take(text.len() / 2).collect();
    assert!(parsed.is_in(&format!("wrong token {cut}…")));
    assert!(!parsed.is_in("There was an error processing the identity token"));
}
