use super::super::{Place, Reference};
use super::*;

const DIGEST: &str = "sha256:c79bf44242829108e323378531f4ac839513ca1fba45efd6583643526e1e9fd2";

#[test]
fn a_user_and_a_password_in_front_of_the_host_are_refused_and_not_repeated() {
    for (text, instead) in [
        ("http://me:geheim@localhost:5000/a:1", "localhost:5000/a:1"),
        ("https://me:geheim@ghcr.io", "ghcr.io"),
        ("https://geheim@ghcr.io/a", "ghcr.io/a"),
        ("docker://me:geheim@ghcr.io/a:1", "ghcr.io/a:1"),
        ("oci://me:geheim@ghcr.io/a:1", "oci://ghcr.io/a:1"),
        ("s3://me:geheim@bucket/a", "s3://bucket/a"),
        ("me:geheim@localhost:5000/a:1", "localhost:5000/a:1"),
        ("me:geheim@localhost:5000", "localhost:5000"),
        ("me:geh/eim@ghcr.io/a:1", "ghcr.io/a:1"),
        ("http://me:geh@eim@ghcr.io/a:1", "ghcr.io/a:1"),
        ("http://me:geh/eim@ghcr.io", "ghcr.io"),
    ] {
        let error = text.parse::<Reference>().unwrap_err();
        let expected = ParseReferenceError::Userinfo {
            instead: instead.to_owned(),
        };
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains("geh"), "{error}");
        assert_eq!(text.parse::<Place>().unwrap_err(), expected, "{text}");
    }
    let text = format!("http://me:geheim@ghcr.io/a:1@{DIGEST}");
    let instead = format!("ghcr.io/a:1@{DIGEST}");
    let error = text.parse::<Reference>().unwrap_err();
    assert_eq!(error, ParseReferenceError::Userinfo { instead });
}

#[test]
fn other_at_signs_begin_a_digest_or_are_in_a_path() {
    for text in [
        "ghcr.io/a:1",
        "ghcr.io/a@latest",
        "a@latest",
        "ghcr.io/a@sha256:abc",
        "https://ghcr.io/a@sha256:abc",
        "https://github.com/a/.github/workflows/release.yml@refs/tags/v1",
        "localhost:5000/a@refs/tags",
        "oci-layout://a:b@c/d:1",
        "oci-archive://a:b@c/d.tar",
        "file://a:b@c/d",
    ] {
        assert_eq!(without_userinfo(text), None, "{text}");
    }
}

#[test]
fn a_version_is_no_host() {
    for text in [
        "c:d/e@2.0.0",
        "c:d/e@2.0.0;",
        "c:d@1.0.0-rc.1",
        "c:d/e@0.2.0.{f}",
    ] {
        assert_eq!(without_userinfo(text), None, "{text}");
    }
    for (text, host) in [
        ("me:geh@10.0.0.1", "10.0.0.1"),
        ("me:geh@1.2.3/a:1", "1.2.3/a:1"),
        ("me:geh@1.2.3:5000", "1.2.3:5000"),
        ("me:geh@1.2.example", "1.2.example"),
        ("http://me:geh@1.2.3", "http://1.2.3"),
    ] {
        assert_eq!(without_userinfo(text).as_deref(), Some(host));
    }
}
