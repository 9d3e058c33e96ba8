use super::*;

const A: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000001";
const B: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000002";

fn referrer(digest: &str) -> Referrer {
    let manifest = format!(
        r#"{{"subject": {{"digest": "{A}"}}, "config": {{"mediaType": "a/b"}}, "annotations": {{"k": "v"}}}}"#
    );
    let descriptor = Descriptor {
        media_type: media_type::OCI_MANIFEST.to_owned(),
        digest: digest.parse().unwrap(),
        size: 7,
    };
    Declaration::of(manifest.as_bytes())
        .unwrap()
        .describe(descriptor)
}

#[test]
fn the_referrers_tag_of_a_long_digest_is_shortened() {
    let digest = Digest::of(b"");
    let tag = referrers_tag(&digest);
    assert_eq!(tag, digest.to_string().replace(':', "-"));
    let long: Digest = format!("sha512:{}", "ab".repeat(64)).parse().unwrap();
    assert_eq!(referrers_tag(&long), format!("sha512-{}", "ab".repeat(32)));
}

#[test]
fn tags_with_the_form_of_a_digest_are_recognised() {
    let digest = Digest::of(b"");
    assert!(is_of_digest(&referrers_tag(&digest)));
    for tag in attached_tags(&digest) {
        assert!(is_of_digest(&tag), "{tag}");
    }
    for tag in ["1.0.sig", "sha256-abc.sig", "latest"] {
        assert!(!is_of_digest(tag), "{tag}");
    }
    assert!(!is_of_digest(&format!("{}.other", referrers_tag(&digest))));
}

#[test]
fn the_type_of_a_config_stands_in_for_a_missing_artifact_type() {
    let referrer = referrer(B);
    assert_eq!(referrer.artifact_type.as_deref(), Some("a/b"));
    assert_eq!(referrer.annotations["k"], "v");
    assert!(Declaration::of(br#"{"schemaVersion": 2}"#).is_none());
    let odd =
        format!(r#"{{"subject": {{"digest": "{A}"}}, "config": null, "annotations": {{"k": 1}}}}"#);
    assert!(
        Declaration::of(odd.as_bytes())
            .unwrap()
            .annotations
            .is_empty()
    );
}

#[test]
fn entries_of_others_keep_their_bytes() {
    let other = format!(r#"{{"size": 7, "x": 1.50,  "mediaType": "c/d", "digest": "{A}"}}"#);
    let text =
        format!(r#"{{"schemaVersion": 2, "annotations": {{"z": "1"}}, "manifests": [{other}]}}"#);
    let mut index = ReferrersIndex::parse(text.as_bytes(), "list").unwrap();
    index.add(&referrer(B));
    index.add(&referrer(B));
    let written = String::from_utf8(index.to_bytes("list").unwrap()).unwrap();
    assert!(written.contains(&other), "{written}");
    assert!(written.contains(r#""annotations":{"z": "1"}"#), "{written}");
    let read = ReferrersIndex::parse(written.as_bytes(), "list").unwrap();
    let referrers = read.referrers("list");
    assert_eq!(referrers.len(), 2);
    assert_eq!(referrers[1], referrer(B));
    index.remove(&B.parse().unwrap());
    assert!(!index.lists(&B.parse().unwrap()));
    assert!(index.lists(&A.parse().unwrap()));
}

#[test]
fn a_referrer_that_is_listed_twice_is_returned_once() {
    let text = format!(
        r#"{{"schemaVersion": 2, "manifests": [{0}, {0}]}}"#,
        format_args!(r#"{{"size": 7, "mediaType": "c/d", "digest": "{A}"}}"#)
    );
    let index = ReferrersIndex::parse(text.as_bytes(), "list").unwrap();
    assert_eq!(index.referrers("list").len(), 1);
}

#[test]
fn entries_that_are_not_descriptors_are_skipped_and_keep_their_bytes() {
    let odd = [
        "null",
        r#"["c/d",  "sha256:1", 7]"#,
        r#"{"mediaType": "c/d",  "size": 7}"#,
        r#"{"mediaType": "c/d",  "digest": "sha256:1", "size": 7}"#,
    ];
    let untyped = format!(
        r#"{{"mediaType": "c/d", "digest": "{A}", "size": 7, "artifactType": 1,  "annotations": {{"k": 1, "l": "m"}}}}"#
    );
    let negative = format!(r#"{{"mediaType": "c/d",  "digest": "{B}", "size": -7}}"#);
    let text = format!(
        r#"{{"schemaVersion": 2, "manifests": [{}, {negative}, {untyped}]}}"#,
        odd.join(", ")
    );
    let mut index = ReferrersIndex::parse(text.as_bytes(), "list").unwrap();
    let referrers = index.referrers("list");
    assert_eq!(referrers.len(), 1);
    assert_eq!(referrers[0].descriptor.digest.to_string(), A);
    assert_eq!(referrers[0].artifact_type, None);
    let annotations = BTreeMap::from([("l".to_owned(), "m".to_owned())]);
    assert_eq!(referrers[0].annotations, annotations);

    index.add(&referrer(B));
    let written = String::from_utf8(index.to_bytes("list").unwrap()).unwrap();
    for entry in odd.into_iter().chain([negative.as_str(), &untyped]) {
        assert!(written.contains(entry), "{written}");
    }
    let read = ReferrersIndex::parse(written.as_bytes(), "list").unwrap();
    assert_eq!(read.referrers("list").len(), 2);
}
