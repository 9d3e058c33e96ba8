use super::*;

fn manifest(
    name: &str,
    artifact_type: &str,
    manifests: Vec<DiscoveredManifest>,
) -> DiscoveredManifest {
    DiscoveredManifest {
        manifest: Descriptor::of(
            "application/vnd.oci.image.manifest.v1+json",
            name.as_bytes(),
        ),
        relation: Relation::Referrer,
        artifact_type: Some(artifact_type.to_owned()),
        annotations: BTreeMap::new(),
        files: vec![DiscoveredFile {
            content: Descriptor::of("text/plain", format!("content of {name}").as_bytes()),
            title: None,
        }],
        vouching: None,
        manifests,
    }
}

fn discovered() -> Discovered {
    let signature = manifest("signature", "a/signature", Vec::new());
    let bill = manifest("bill", "a/bill", vec![signature]);
    let note = manifest("note", "a/note", Vec::new());
    Discovered {
        reference: "localhost:1/provider:1".parse().unwrap(),
        root: manifest("root", "a/root", vec![bill, note]),
        complete: true,
    }
}

#[test]
fn manifests_are_found_by_their_digest_and_by_that_of_their_content() {
    let found = discovered();
    let find = |text: &str| {
        let found = found.find(&Digest::of(text.as_bytes()))?;
        Some(found.kind().to_owned())
    };
    assert_eq!(find("signature").as_deref(), Some("a/signature"));
    assert_eq!(find("content of bill").as_deref(), Some("a/bill"));
    assert_eq!(find("root"), None);
    assert_eq!(find("other"), None);
}

#[test]
fn what_is_of_a_type_keeps_what_it_is_attached_to() {
    let kinds = |found: &Discovered| {
        let attached = found.attached().into_iter();
        let kinds: Vec<String> = attached.map(|found| found.kind().to_owned()).collect();
        kinds.join(" ")
    };
    assert_eq!(kinds(&discovered()), "a/bill a/signature a/note");
    assert_eq!(
        kinds(&discovered().of_type("a/signature")),
        "a/bill a/signature"
    );
    assert_eq!(kinds(&discovered().of_type("a/bill")), "a/bill");
    assert_eq!(kinds(&discovered().of_type("a/other")), "");
}

#[test]
fn a_signature_of_cosign_is_of_the_type_of_its_content() {
    let mut signature = manifest("signature", IMAGE_CONFIG, Vec::new());
    assert_eq!(signature.kind(), IMAGE_CONFIG);
    signature.relation = Relation::Tag("sha256-00.sig".to_owned());
    assert_eq!(signature.kind(), "text/plain");
    signature.artifact_type = None;
    signature.files.clear();
    assert_eq!(
        signature.kind(),
        "application/vnd.oci.image.manifest.v1+json"
    );
}

#[test]
fn an_attachment_without_any_type_is_of_the_type_of_its_manifest() {
    let mut untyped = manifest("untyped", "", Vec::new());
    untyped.artifact_type = None;
    for file in &mut untyped.files {
        file.content.media_type.clear();
    }
    assert_eq!(untyped.kind(), untyped.manifest.media_type);
}
