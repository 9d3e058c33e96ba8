use super::*;

#[test]
fn whoever_has_no_token_learns_what_to_do_where_they_are() {
    let hint = |error: &SigningError| signing_hint(error).unwrap();
    assert!(hint(&SigningError::NoToken).contains("`cosign sign`"));
    assert!(hint(&SigningError::NotInCi).contains("`cosign attest"));
    assert!(hint(&SigningError::NoGitHubToken).contains("id-token: write"));
    assert!(hint(&SigningError::NoGitLabToken).contains("id_tokens"));
}
