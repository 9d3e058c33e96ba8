use super::*;

#[test]
fn without_a_token_the_hint_depends_on_the_ci_service() {
    let hint = |error: &SigningError| signing_hint(error).unwrap();
    assert!(hint(&SigningError::NoToken).contains("`cosign sign`"));
    assert!(hint(&SigningError::NotInCi).contains("`cosign attest"));
    assert!(hint(&SigningError::NoGitHubToken).contains("id-token: write"));
    assert!(hint(&SigningError::NoGitLabToken).contains("id_tokens"));
}

#[test]
fn only_a_malformed_predicate_has_the_hint_about_a_file() {
    let malformed = SigningError::Predicate("it is not a JSON object".to_owned());
    assert!(signing_hint(&malformed).unwrap().contains("a JSON object"));
    let not_encoded = SigningError::Encode {
        what: "the statement",
        source: "not finite".into(),
    };
    assert_eq!(signing_hint(&not_encoded), None);
}
