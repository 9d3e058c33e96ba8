use super::*;

#[test]
fn a_signature_says_the_digest_of_the_manifest_and_nothing_else() {
    let manifest = Digest::of(b"manifest");
    let signature = Predicate::signature().unwrap();
    let bytes = Statement::new(&manifest, None, &signature)
        .to_bytes()
        .unwrap();
    let expected = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
        manifest.hex()
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn an_attestation_names_the_repository_and_keeps_the_predicate() {
    let manifest: Digest = format!("sha512:{}", "a".repeat(128)).parse().unwrap();
    let predicate = Predicate::new("urn:a", b"{\"b\": 1.0}").unwrap();
    let statement = Statement::new(&manifest, Some("ghcr.io/acme/demo"), &predicate);
    let text = String::from_utf8(statement.to_bytes().unwrap()).unwrap();
    assert!(
        text.contains(r#""name":"ghcr.io/acme/demo","digest":{"sha512":"aaa"#),
        "{text}"
    );
    assert!(
        text.ends_with(r#""predicateType":"urn:a","predicate":{"b": 1.0}}"#),
        "{text}"
    );
}
