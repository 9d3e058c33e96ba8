use std::collections::BTreeMap;

use super::*;
use crate::client::DiscoveredFile;
use crate::content::{Descriptor, Digest};

fn manifest(
    name: &str,
    relation: Relation,
    manifests: Vec<DiscoveredManifest>,
) -> DiscoveredManifest {
    DiscoveredManifest {
        manifest: Descriptor::of(
            "application/vnd.oci.image.manifest.v1+json",
            name.as_bytes(),
        ),
        relation,
        artifact_type: Some(format!("a/{name}")),
        annotations: BTreeMap::from([(
            "org.opencontainers.image.created".to_owned(),
            "1970-01-02T00:00:00Z".to_owned(),
        )]),
        files: vec![DiscoveredFile {
            content: Descriptor::of("text/plain", b"four"),
            title: Some(format!("{name}.txt")),
        }],
        vouching: None,
        manifests,
    }
}

fn digest(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string()
}

#[test]
fn a_tree_has_a_line_for_each_manifest() {
    let signature = manifest("signature", Relation::Referrer, Vec::new());
    let bill = manifest("bill", Relation::Referrer, vec![signature]);
    let old = manifest("old", Relation::Tag("sha256-00.sig".to_owned()), Vec::new());
    let root = manifest("root", Relation::Root, vec![bill, old]);
    let discovered = Discovered {
        reference: "localhost:1/provider:1".parse().unwrap(),
        root,
        complete: true,
    };
    let expected = [
        format!("localhost:1/provider@{}", digest("root")),
        format!(
            "├── {}  a/bill  4 B  1970-01-02T00:00:00Z  bill.txt",
            digest("bill")
        ),
        format!(
            "│   └── {}  a/signature  4 B  1970-01-02T00:00:00Z  signature.txt",
            digest("signature")
        ),
        format!(
            "└── {}  a/old  4 B  1970-01-02T00:00:00Z  old.txt  (tag sha256-00.sig)",
            digest("old")
        ),
    ];
    assert_eq!(lines(&discovered), expected);
}

#[test]
fn a_text_that_is_not_a_time_is_not_shown_and_long_types_are_cut() {
    let mut found = manifest("bill", Relation::Referrer, Vec::new());
    found.annotations.clear();
    found.annotations.insert(
        "org.opencontainers.image.created".to_owned(),
        "soon".to_owned(),
    );
    found.artifact_type = Some("a".repeat(LONGEST + 1));
    let cut = format!("{}…", "a".repeat(LONGEST));
    assert_eq!(
        line(&found),
        format!("{}  {cut}  4 B  bill.txt", digest("bill"))
    );
    assert_eq!(manifest_json(&found)["created"], Value::Null);
}
