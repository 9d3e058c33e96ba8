use super::*;

#[test]
fn a_digest_is_parsed_from_its_own_text() {
    let digest = Digest::of(b"");
    assert_eq!(
        digest.to_string(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
}

#[test]
fn upper_case_digits_make_the_same_digest() {
    let digest = Digest::of(b"provider");
    let upper = digest.hex().to_ascii_uppercase();
    assert_eq!(Digest::from_hex(Algorithm::Sha256, &upper).unwrap(), digest);
}

#[test]
fn malformed_digests_are_refused() {
    let hex = Digest::of(b"").hex().to_owned();
    for text in [
        "",
        "sha256",
        "sha256:",
        &hex,
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        &format!("sha256:{}", &hex[1..]),
        &format!("sha256:{}", hex.to_ascii_uppercase()),
        &format!("sha512:{hex}"),
        "sha256:../../../../etc/passwd",
        "sha256:é",
    ] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}

#[test]
fn content_in_pieces_has_the_digest_of_the_whole() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(b"capability ");
    hasher.update(b"provider");
    assert_eq!(hasher.finish(), Digest::of(b"capability provider"));
}
