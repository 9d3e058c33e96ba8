use std::path::Path;

use super::super::rule::SigstoreRule;
use super::*;
use crate::content::rfc3339;

/// The artifact of the bundle of the public instance.
const PUBLIC: &str = "sha256:54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f";

fn fixture(name: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore");
    std::fs::read(fixtures.join(name)).unwrap()
}

fn verifier(root: SigstoreRoot) -> BundleVerifier {
    BundleVerifier::new(&root).unwrap()
}

#[test]
fn a_bundle_of_the_public_instance_verifies_by_the_root_in_this_crate() {
    let (verifier, digest) = (verifier(SigstoreRoot::Public), PUBLIC.parse().unwrap());
    let identity = verifier.verify(&fixture("public.json"), &digest).unwrap();
    assert_eq!(
        identity.issuer,
        "https://token.actions.githubusercontent.com"
    );
    let subject = &identity.subject;
    assert!(subject.starts_with("https://github.com/"), "{subject}");
    assert_eq!(
        identity.predicate,
        "https://schemas.conda.org/attestations-publish-1.schema.json"
    );
    let log = identity.log.unwrap();
    assert!(log.log.starts_with("rekor.sigstore.dev"), "{log:?}");
    let other = verifier.verify(&fixture("public.json"), &Digest::of(b"other"));
    assert!(matches!(other, Err(BundleError::OtherSubject)));
}

/// The artifact of the bundle of a workflow by the instance of GitHub.
const WORKFLOW: &str = "sha256:b03d18ed0a16864ef2d2e559c660159a2170b9d086a1f42f570b1679326b90e6";

#[test]
fn a_workflow_that_the_instance_of_github_has_attested_verifies_by_the_root_in_this_crate() {
    let (verifier, digest) = (verifier(SigstoreRoot::GitHub), WORKFLOW.parse().unwrap());
    let bytes = fixture("github-workflow.json");
    let identity = verifier.verify(&bytes, &digest).unwrap();
    assert_eq!(
        identity.issuer,
        "https://token.actions.githubusercontent.com"
    );
    assert_eq!(
        identity.subject,
        "https://github.com/actions/attest-build-provenance/.github/workflows/prober.yml@refs/heads/main"
    );
    assert_eq!(identity.predicate, "https://slsa.dev/provenance/v1");
    assert_eq!(identity.log, None);
    assert_eq!(
        rfc3339(unix_seconds(identity.signed)),
        "2025-11-18T07:58:34Z"
    );
    let allowed = SigstoreRule::new(identity.issuer.clone(), "https://github.com/actions/*")
        .predicate("https://slsa.dev/provenance/v1")
        .root(SigstoreRoot::GitHub);
    allowed.check(&identity).unwrap();
    let other = verifier.verify(&bytes, &Digest::of(b"other"));
    assert!(matches!(other, Err(BundleError::OtherSubject)));
}

#[test]
fn a_timestamp_of_github_counts_only_for_its_signature() {
    let (verifier, digest) = (verifier(SigstoreRoot::GitHub), WORKFLOW.parse().unwrap());
    let mut changed: serde_json::Value =
        serde_json::from_slice(&fixture("github-workflow.json")).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&fixture("github.json")).unwrap();
    let stamps = "timestampVerificationData";
    changed["verificationMaterial"][stamps] = other["verificationMaterial"][stamps].clone();
    let refused = verifier.verify(changed.to_string().as_bytes(), &digest);
    assert!(matches!(refused, Err(BundleError::WrongTimestamp { .. })));
    changed["verificationMaterial"][stamps] = serde_json::json!({});
    let refused = verifier.verify(changed.to_string().as_bytes(), &digest);
    // A bundle must have an entry in a log or a timestamp.
    assert!(matches!(refused, Err(BundleError::Malformed(_))));
}

/// The time of signing must be within the validity of the certificate, which is ten minutes. The bundle itself does not
/// expire.
#[test]
fn a_bundle_counts_for_good() {
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore");
    let local = SigstoreRoot::File(local.join("trusted_root.json"));
    let manifest = Digest::of(&fixture("manifest.json"));
    for (name, root, artifact) in [
        ("public.json", SigstoreRoot::Public, PUBLIC.parse().unwrap()),
        (
            "github-workflow.json",
            SigstoreRoot::GitHub,
            WORKFLOW.parse().unwrap(),
        ),
        ("signature.json", local.clone(), manifest.clone()),
        ("provenance.json", local, manifest),
    ] {
        let verifier = verifier(root);
        let later = SystemTime::now() + Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let verified = verifier.verify_at(&fixture(name), &artifact, later);
        assert!(verified.is_ok(), "{name}: {verified:?}");
    }
}

/// GitHub signs releases itself: the certificate names no OpenID Connect issuer, and everything else verifies.
#[test]
fn a_bundle_of_the_instance_of_github_needs_no_log() {
    let verifier = verifier(SigstoreRoot::GitHub);
    let bytes = fixture("github.json");
    let bundle: Bundle = serde_json::from_slice(&bytes).unwrap();
    let statement = statement(&bundle).unwrap();
    let mut subjects = statement.subject.iter();
    let file = subjects.find_map(|subject| subject.digest.sha256);
    let digest = format!("sha256:{}", file.unwrap().to_hex());
    let verified = verifier.verify(&bytes, &digest.parse().unwrap());
    let error = verified.unwrap_err().to_string();
    assert!(error.ends_with("no OpenID Connect issuer"), "{error}");
    let other = verifier.verify(&bytes, &Digest::of(b"other"));
    assert!(matches!(other, Err(BundleError::OtherSubject)));
}

#[test]
fn a_bundle_does_not_verify_by_the_root_of_another_instance() {
    let digest = PUBLIC.parse().unwrap();
    let github = verifier(SigstoreRoot::GitHub);
    assert!(github.verify(&fixture("public.json"), &digest).is_err());
    let public = verifier(SigstoreRoot::Public);
    let error = public.verify(&fixture("github.json"), &digest).unwrap_err();
    assert!(matches!(error, BundleError::NoInclusionProof), "{error}");
}

#[test]
fn a_bundle_that_was_signed_later_than_the_clock_says_is_refused() {
    let (verifier, digest) = (verifier(SigstoreRoot::Public), PUBLIC.parse().unwrap());
    let bytes = fixture("public.json");
    let signed = verifier.verify(&bytes, &digest).unwrap().signed;
    assert!(verifier.verify_at(&bytes, &digest, signed - LEEWAY).is_ok());
    let early = signed - LEEWAY - Duration::from_secs(1);
    let error = verifier.verify_at(&bytes, &digest, early).unwrap_err();
    assert!(matches!(error, BundleError::InFuture { signed: when } if when == signed));
}

#[test]
fn a_trusted_root_without_what_bundles_need_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trusted_root.json");
    let media_type = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
    for text in [
        "",
        "[]",
        "{}",
        &format!(r#"{{"mediaType":"{media_type}"}}"#),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = BundleVerifier::new(&SigstoreRoot::File(path.clone()))
            .err()
            .unwrap();
        assert!(
            matches!(error, TrustedRootError::Malformed { .. }),
            "{error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let error = BundleVerifier::new(&SigstoreRoot::File(path))
        .err()
        .unwrap();
    assert!(matches!(error, TrustedRootError::File { .. }), "{error}");
}
