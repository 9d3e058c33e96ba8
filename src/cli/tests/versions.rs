use super::*;

#[test]
fn versions_come_last_and_are_sorted() {
    let ordered = [
        "build-9",
        "build-10",
        "latest",
        "main",
        "v",
        "0.9.0",
        "1",
        "1.2",
        "1.2.9-rc.2",
        "1.2.9-rc.10",
        "1.2.9",
        "1.2.10-alpha",
        "1.2.10-rc1",
        "1.2.10",
        "1.2.10_build.9",
        "1.2.10_build.10",
        "v1.3.0",
        "2.0.0-beta.1",
        "2.0.0",
        "20261127",
    ];
    let mut tags = ordered.to_vec();
    tags.reverse();
    tags.sort_by(|one, other| compare(one, other));
    assert_eq!(tags, ordered);
}

#[test]
fn tags_that_attach_content_are_recognized() {
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for tag in [format!("sha256-{hex}"), format!("sha256-{hex}.sig")] {
        assert!(is_digest_tag(&tag), "{tag}");
    }
    for tag in ["sha256-1", "1.0.0", "sha-e3b0c44", hex] {
        assert!(!is_digest_tag(tag), "{tag}");
    }
}

#[test]
fn a_version_begins_with_a_number_perhaps_after_a_v() {
    for tag in ["1", "v1.2", "1.2.3-rc1", "20261127"] {
        assert!(is_version(tag), "{tag}");
    }
    for tag in ["latest", "v", "main-1", "version-1.0"] {
        assert!(!is_version(tag), "{tag}");
    }
}
