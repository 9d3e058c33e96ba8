//! Bundles that must not vouch for a manifest: each one is a real bundle, or one that was changed in one place.

use super::*;

/// Returns why the signature is refused after this change of its bundle.
#[track_caller]
fn refusal_after(change: impl FnOnce(&mut Value)) -> String {
    let mut changed = bundle("signature.json");
    change(&mut changed);
    let mut site = Site::new();
    site.attach(changed.to_string().as_bytes());
    site.refusal()
}

/// Changes one byte of a text in base64, counted from its end.
fn flip(value: &mut Value, from_end: usize) {
    let mut bytes = BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let position = bytes.len() - from_end;
    bytes[position] ^= 1;
    *value = BASE64.encode(&bytes).into();
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn stamps(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
}

#[test]
fn a_manifest_without_a_bundle_is_refused() {
    let said = Site::new().refusal();
    assert!(said.contains("has no Sigstore bundle"), "{said}");
    assert!(
        said.contains("dev@acme.test of http://oidc.test/email"),
        "{said}"
    );
}

#[test]
fn a_bundle_of_another_identity_or_issuer_is_refused() {
    let site = Site::with(&["signature.json"]);
    for (subject, issuer) in [
        ("other@acme.test", DEVELOPER.1),
        (DEVELOPER.0, "http://oidc.test/ci"),
        ("*@acme.test", "http://oidc.test/*"),
    ] {
        let refused = site.verify((subject, issuer), &[]).exit(5);
        assert!(
            refused
                .stderr
                .contains("it was signed by dev@acme.test, an identity of http://oidc.test/email"),
            "{refused}"
        );
    }
}

#[test]
fn a_statement_of_another_type_is_refused() {
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, &format!("predicate = {PROVENANCE:?}"));
    let refused = site.fetch(&[]).exit(5);
    let expected = format!("its statement is of the type {SIGNATURE}");
    assert!(refused.stderr.contains(&expected), "{refused}");
}

#[test]
fn a_statement_about_another_manifest_is_refused() {
    let said = Site::with(&["other-subject.json"]).refusal();
    assert!(
        said.contains("its statement is about other content"),
        "{said}"
    );
}

#[test]
fn a_certificate_that_had_expired_or_was_not_yet_valid_is_refused() {
    let said = Site::with(&["expired.json"]).refusal();
    assert!(
        said.contains("its certificate had expired at the time of the signature, "),
        "{said}"
    );
    let said = Site::with(&["not-yet-valid.json"]).refusal();
    assert!(
        said.contains("its certificate was not valid yet at the time of the signature, "),
        "{said}"
    );
}

#[test]
fn a_certificate_of_another_instance_is_refused() {
    let site = Site::with(&["signature.json"]);
    let root = fixture("another_root.json");
    let another = |root: &str| {
        let identity = ["--identity", DEVELOPER.0, "--identity-issuer", DEVELOPER.1];
        let (reference, root) = (site.reference(), ["--trusted-root", root]);
        let verify = [&["verify", &*reference][..], &identity, &root].concat();
        site.environment.par(verify).exit(5)
    };
    // The timestamp is checked first.
    for root in [text(&root), "public", "github"] {
        let refused = another(root);
        assert!(
            refused.stderr.contains("no authority of the trusted root"),
            "{refused}"
        );
    }
}

#[test]
fn a_certificate_of_an_authority_that_is_not_in_the_trusted_root_is_refused() {
    let mut root = bundle("trusted_root.json");
    let another = bundle("another_root.json");
    root["certificateAuthorities"] = another["certificateAuthorities"].clone();
    let said = refusal_by(&root);
    assert!(
        said.contains("its certificate was not issued by an authority of the trusted root"),
        "{said}"
    );
    assert!(said.contains("whose newest key is of 20"), "{said}");
    assert!(said.contains("its trusted root is too old"), "{said}");
}

#[test]
fn a_log_that_is_not_in_the_trusted_root_is_refused() {
    let another = bundle("another_root.json");
    let mut root = bundle("trusted_root.json");
    root["tlogs"] = another["tlogs"].clone();
    let said = refusal_by(&root);
    assert!(
        said.contains("its transparency log is not one of the trusted root"),
        "{said}"
    );
    let mut root = bundle("trusted_root.json");
    root["ctlogs"] = another["ctlogs"].clone();
    let said = refusal_by(&root);
    assert!(
        said.contains("its certificate is in no log of certificates"),
        "{said}"
    );
}

/// Returns why the signature is refused by this trusted root.
#[track_caller]
fn refusal_by(root: &Value) -> String {
    let site = Site::with(&["signature.json"]);
    let root = site.environment.write("root.json", root.to_string());
    let identity = ["--identity", DEVELOPER.0, "--identity-issuer", DEVELOPER.1];
    let (reference, root) = (site.reference(), ["--trusted-root", text(&root)]);
    let verify = [&["verify", &*reference][..], &identity, &root].concat();
    site.environment.par(verify).exit(5).stderr.clone()
}

#[test]
fn a_bundle_without_an_inclusion_proof_is_refused() {
    let said = refusal_after(|bundle| {
        entry(bundle)
            .as_object_mut()
            .unwrap()
            .remove("inclusionProof");
    });
    assert!(
        said.contains("nothing proves that it is in the transparency log"),
        "{said}"
    );
    let said = refusal_after(|bundle| {
        bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    });
    assert!(
        said.contains("nothing proves that it is in the transparency log"),
        "{said}"
    );
}

#[test]
fn a_forged_inclusion_proof_is_refused() {
    // The entry has the index of another entry in the log.
    let said = refusal_after(|bundle| entry(bundle)["logIndex"] = "0".into());
    assert!(
        said.contains("its proof of being in the transparency log is wrong"),
        "{said}"
    );
    // The hashes lead to another root of the log.
    let said = refusal_after(|bundle| flip(&mut entry(bundle)["inclusionProof"]["hashes"][0], 1));
    assert!(
        said.contains("its proof of being in the transparency log is wrong"),
        "{said}"
    );
    // The entry is that of another signature, with its own correct proof.
    let mut other = bundle("provenance.json");
    let said = refusal_after(|bundle| *entry(bundle) = entry(&mut other).clone());
    assert!(said.contains("does not count"), "{said}");
    // The log has not signed this checkpoint.
    let said = refusal_after(|bundle| {
        let checkpoint = &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"];
        let text = checkpoint.as_str().unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        *checkpoint = format!("other.test\n{rest}").into();
    });
    assert!(
        said.contains("its transparency log is not one of the trusted root"),
        "{said}"
    );
}

#[test]
fn a_forged_or_missing_timestamp_is_refused() {
    let said = refusal_after(|bundle| flip(&mut stamps(bundle)[0]["signedTimestamp"], 8));
    assert!(said.contains("no authority of the trusted root"), "{said}");
    // The timestamp is that of another signature.
    let mut other = bundle("provenance.json");
    let said = refusal_after(|bundle| *stamps(bundle) = stamps(&mut other).clone());
    assert!(said.contains("no authority of the trusted root"), "{said}");
    let said = refusal_after(|bundle| *stamps(bundle) = json!([]));
    assert!(said.contains("no authority of the trusted root"), "{said}");
}

#[test]
fn a_wrong_signature_or_another_statement_is_refused() {
    let said = refusal_after(|bundle| {
        let other = super::bundle("other-subject.json");
        bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"].clone();
    });
    assert!(said.contains("does not count"), "{said}");
    // The statement names the manifest, but nobody has signed it.
    let mut site = Site::new();
    let signed = bundle("signature.json");
    let mut forged = bundle("other-subject.json");
    forged["dsseEnvelope"]["payload"] = signed["dsseEnvelope"]["payload"].clone();
    site.attach(forged.to_string().as_bytes());
    let said = site.refusal();
    assert!(said.contains("its signature is wrong"), "{said}");
}

#[test]
fn a_bundle_that_cannot_be_read_is_refused() {
    for content in ["", "{}", "[", "null", "\u{0}"] {
        let mut site = Site::new();
        site.attach(content.as_bytes());
        let said = site.refusal();
        assert!(said.contains("it cannot be read"), "{content:?}: {said}");
    }
    let deep = "[".repeat(100_000);
    let mut site = Site::new();
    site.attach(deep.as_bytes());
    assert!(site.refusal().contains("it cannot be read"));
    let said = refusal_after(|bundle| {
        bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2".into();
    });
    assert!(said.contains("it is not a bundle of version 0.3"), "{said}");
}

#[test]
fn a_bundle_with_damaged_content_is_refused() {
    let mut site = Site::new();
    let layer = peer::push_blob(&site.reference(), BUNDLE, &read("signature.json"));
    let digest = layer["digest"].as_str().unwrap().to_owned();
    let manifest = site.manifest.clone();
    site.attach_layer(&manifest, layer);
    fs::write(site.registry.blob(&digest), "something else").unwrap();
    let said = site.refusal();
    assert!(said.contains("it cannot be read"), "{said}");
}

#[test]
fn a_bundle_of_200_megabytes_is_not_downloaded() {
    let mut site = Site::new();
    let digest = site.attach_bundle_of_200_megabytes();
    let said = site.refusal();
    assert!(
        said.contains("it has 200000000 bytes; at most 4194304 are read"),
        "{said}"
    );
    let asked = site.registry.requests();
    let asked = asked
        .iter()
        .filter(|request| request.starts_with("GET") && request.contains(digest.hex()));
    assert_eq!(asked.count(), 0);
}

#[test]
fn a_bundle_with_another_subject_does_not_count() {
    let mut site = Site::new();
    let layer = peer::push_blob(&site.reference(), BUNDLE, &read("signature.json"));
    let other = json!({ "mediaType": peer::MANIFEST, "digest": Digest::of(b"other"), "size": 9 });
    site.attach_layer(&other, layer);
    let said = site.refusal();
    assert!(said.contains("has no Sigstore bundle"), "{said}");
}

#[test]
fn one_bundle_that_counts_is_enough_among_refused_ones() {
    let mut site = Site::with(&["expired.json", "other-subject.json"]);
    let said = site.refusal();
    assert!(
        said.contains("had expired") && said.contains("about other content"),
        "{said}"
    );
    site.attach(&read("signature.json"));
    site.fetch(&[]).success();
    // A bundle that is refused does not hide one that counts, whichever is listed first.
    site.referrers.reverse();
    site.list_referrers();
    site.environment = Environment::new();
    site.demand(DEVELOPER, "");
    site.fetch(&[]).success();
}
