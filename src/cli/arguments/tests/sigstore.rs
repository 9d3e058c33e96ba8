use super::*;

#[test]
fn a_token_is_told_from_the_name_of_a_file() {
    for token in [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
        " eyJ.e30.",
        "eyJ.a.b\n",
    ] {
        assert!(looks_like_token(token), "{token}");
    }
    for path in ["token", "eyJ", "/run/secrets/token.jwt", "../a.b.c", "-"] {
        assert!(!looks_like_token(path), "{path}");
    }
}
