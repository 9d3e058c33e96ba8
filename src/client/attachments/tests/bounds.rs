use super::*;
use crate::content::Descriptor;

fn descriptor(content: &str) -> Descriptor {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    Descriptor::of(media_type, content.as_bytes())
}

fn referrer(content: &str) -> AttachedManifest {
    AttachedManifest::Referrer(descriptor(content))
}

fn reference() -> Reference {
    "localhost:1/provider:1".parse().unwrap()
}

#[test]
fn sixteen_levels_are_accepted_and_the_seventeenth_is_refused() {
    let reference = reference();
    let mut bounds = AttachedBounds::new(&reference);
    let subject = Digest::of(b"subject");
    for level in 1..=16 {
        let attached = referrer(&format!("level {level}"));
        assert!(bounds.note(&attached, &subject, level).unwrap());
    }
    let error = bounds.note(&referrer("level 17"), &subject, 17);
    assert!(
        matches!(error, Err(Error::TooMuchAttached { deepest: 16, .. })),
        "{error:?}"
    );
}

#[test]
fn ten_thousand_attachments_are_accepted_and_one_more_is_refused() {
    let reference = reference();
    let mut bounds = AttachedBounds::new(&reference);
    let subject = Digest::of(b"subject");
    for number in 0..10_000 {
        let attached = referrer(&number.to_string());
        assert!(bounds.note(&attached, &subject, 1).unwrap());
    }
    // An attachment that is listed once more does not count again.
    assert!(!bounds.note(&referrer("0"), &subject, 1).unwrap());
    let error = bounds.note(&referrer("10000"), &subject, 1);
    assert!(
        matches!(error, Err(Error::TooMuchAttached { most: 10_000, .. })),
        "{error:?}"
    );
}

#[test]
fn one_manifest_counts_for_each_subject_and_each_tag_that_lists_it() {
    let reference = reference();
    let mut bounds = AttachedBounds::new(&reference);
    let [one, other] = ["one", "other"].map(|content| Digest::of(content.as_bytes()));
    let tagged = |tag: &str| AttachedManifest::Tagged(tag.to_owned(), descriptor("signature"));
    let listed = [
        (referrer("signature"), &one),
        (referrer("signature"), &other),
        (tagged("sha256-1.sig"), &one),
        (tagged("sha256-1.att"), &one),
    ];
    for (attached, subject) in &listed {
        assert!(bounds.note(attached, subject, 1).unwrap());
        assert!(!bounds.note(attached, subject, 1).unwrap());
    }
}
