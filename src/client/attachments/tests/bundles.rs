use std::path::Path;

use super::*;

/// The artifact of the bundle of a workflow by the instance of GitHub.
const WORKFLOW: &str = "sha256:b03d18ed0a16864ef2d2e559c660159a2170b9d086a1f42f570b1679326b90e6";

fn verified(name: &str, roots: &[SigstoreRoot]) -> Vouching {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore");
    let bundle = std::fs::read(fixtures.join(name)).unwrap();
    let verifiers = roots.iter().map(|root| BundleVerifier::new(root).unwrap());
    let verifiers: Vec<BundleVerifier> = verifiers.collect();
    verify_by_any(&verifiers, &bundle, &WORKFLOW.parse().unwrap())
}

#[test]
fn a_bundle_is_verified_by_the_instance_that_it_is_of() {
    let both = [SigstoreRoot::Public, SigstoreRoot::GitHub];
    match verified("github-workflow.json", &both) {
        Vouching::By(identity) => assert_eq!(identity.root, SigstoreRoot::GitHub),
        Vouching::Refused(reason) => panic!("{reason}"),
    }
}

#[test]
fn the_reason_of_a_refusal_is_that_of_the_instance_that_the_bundle_seems_to_be_of() {
    let both = [SigstoreRoot::Public, SigstoreRoot::GitHub];
    for (name, roots) in [
        // The bundle has no entry in a log, which the public instance demands.
        ("github.json", &both[..]),
        ("public.json", &both),
    ] {
        match verified(name, roots) {
            Vouching::Refused(reason) => {
                assert!(matches!(*reason, BundleError::OtherSubject), "{reason}");
            }
            Vouching::By(identity) => panic!("{identity:?}"),
        }
    }
    let none = verified("public.json", &[]);
    assert!(matches!(none, Vouching::Refused(_)), "{none:?}");
}
