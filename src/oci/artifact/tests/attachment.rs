use super::*;
use crate::content::Digest;

/// The manifest that `oras attach` 1.3 writes for the same arguments, without the time.
#[test]
fn the_manifest_equals_that_of_oras() {
    let subject = Descriptor::of(media_type::OCI_MANIFEST, b"subject");
    let layer = Descriptor::of("application/vnd.cyclonedx+json", b"bill");
    let annotations = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    let manifest = AttachmentManifest::build(
        &subject,
        "application/vnd.cyclonedx+json",
        &layer,
        Some("bill.json"),
        None,
        &annotations,
    );
    let expected = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""artifactType":"application/vnd.cyclonedx+json","#,
            r#""config":{{"mediaType":"application/vnd.oci.empty.v1+json","#,
            r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}},"#,
            r#""layers":[{{"mediaType":"application/vnd.cyclonedx+json","digest":"{}","size":4,"#,
            r#""annotations":{{"org.opencontainers.image.title":"bill.json"}}}}],"#,
            r#""subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":7}},"#,
            r#""annotations":{{"key":"value"}}}}"#,
        ),
        Digest::of(b"bill"),
        Digest::of(b"subject"),
    );
    assert_eq!(std::str::from_utf8(manifest.bytes()).unwrap(), expected);
    assert_eq!(
        *manifest.descriptor(),
        Descriptor::of(media_type::OCI_MANIFEST, expected.as_bytes())
    );
}

#[test]
fn a_manifest_can_hold_the_bytes_of_its_layer() {
    let subject = Descriptor::of(media_type::OCI_MANIFEST, b"subject");
    let layer = Descriptor::of("text/plain", b"bill");
    let manifest = AttachmentManifest::build(
        &subject,
        "text/plain",
        &layer,
        None,
        Some(b"bill"),
        &BTreeMap::new(),
    );
    let manifest: serde_json::Value = serde_json::from_slice(manifest.bytes()).unwrap();
    assert_eq!(manifest["layers"][0]["data"], "YmlsbA==");
    assert_eq!(manifest["layers"][0]["size"], 4);
}
