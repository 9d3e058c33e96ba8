use std::time::SystemTime;

use super::*;
use crate::content::Digest;

fn identity() -> SigstoreIdentity {
    SigstoreIdentity {
        issuer: "https://issuer.example".to_owned(),
        subject: "https://github.com/org/repository/.github/workflows/release.yml@refs/tags/v1"
            .to_owned(),
        predicate: "https://slsa.dev/provenance/v1".to_owned(),
        signed: SystemTime::UNIX_EPOCH,
        log: None,
        bundle: Digest::of(b"bundle"),
        root: SigstoreRoot::Public,
    }
}

#[test]
fn a_star_stands_for_any_characters_of_the_subject_and_of_nothing_else() {
    let rule = |issuer, subject| SigstoreRule::new(issuer, subject).check(&identity());
    let issuer = "https://issuer.example";
    for subject in ["*", "https://github.com/org/*", "*@refs/tags/*"] {
        assert!(rule(issuer, subject).is_ok(), "{subject}");
    }
    for subject in [
        "https://github.com/org",
        "https://github.com/org2/*",
        "*@refs/heads/*",
        "",
    ] {
        assert!(rule(issuer, subject).is_err(), "{subject}");
    }
    for issuer in ["*", "https://issuer.example/", "https://issuer.*"] {
        assert!(rule(issuer, "*").is_err(), "{issuer}");
    }
}

#[test]
fn a_predicate_that_is_demanded_has_to_be_the_same() {
    let rule = SigstoreRule::new("https://issuer.example", "*");
    let same = rule.clone().predicate("https://slsa.dev/provenance/v1");
    assert!(same.check(&identity()).is_ok());
    let other = rule.predicate("https://slsa.dev/provenance/*");
    let error = other.check(&identity()).unwrap_err();
    assert!(matches!(error, BundleError::OtherPredicate { .. }));
}
