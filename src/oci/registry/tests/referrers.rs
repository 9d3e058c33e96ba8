use super::*;

#[test]
fn the_referrers_tag_of_a_long_digest_is_cut() {
    let digest = Digest::of(b"");
    let tag = referrers_tag(&digest);
    assert_eq!(tag, digest.to_string().replace(':', "-"));
    let long: Digest = format!("sha512:{}", "ab".repeat(64)).parse().unwrap();
    assert_eq!(referrers_tag(&long), format!("sha512-{}", "ab".repeat(32)));
}
