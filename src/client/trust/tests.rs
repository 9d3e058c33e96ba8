//! Decisions of policies and pins about claims.

use crate::archive::VerifiedClaims;
use crate::archive::{
    ArchiveWriter, Compression, Input, Key, KeyKind, Limits, Metadata, Signer, Target, verify,
};
use crate::cache::Pin;
use crate::content::{ErrorKind, Silent};
use crate::oci::Reference;

use super::*;

const REFERENCE: &str = "ghcr.io/org/provider:1.0";

fn claims(revision: Option<i32>) -> VerifiedClaims {
    let mut writer = ArchiveWriter::new(Metadata {
        vendor: "Vendor".to_owned(),
        revision,
        ..Metadata::default()
    });
    writer.executable(Target::host(), Input::Bytes(b"executable"[..].into()));
    let subject = Key::generate(KeyKind::Service).public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    writer
        .write(&path, &signer, Compression::None, &Silent)
        .unwrap();
    let file = std::fs::File::open(&path).unwrap();
    verify(file, &Limits::default()).unwrap().claims
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn rule(pattern: &str) -> Rule {
    Rule::new(pattern.parse().unwrap())
}

fn policy<const N: usize>(rules: [Rule; N]) -> TrustPolicy {
    TrustPolicy {
        rules: rules.into(),
        ..TrustPolicy::default()
    }
}

/// Returns the refusal of claims at [`REFERENCE`], or the empty text when they are trusted.
fn refusal(policy: &TrustPolicy, claims: &VerifiedClaims) -> String {
    match policy.check(claims, &reference(REFERENCE)) {
        Ok(()) => String::new(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotVerified);
            error.to_string()
        }
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_no_other() {
    let claims = claims(None);
    let strict = Rule {
        issuers: vec!["A".to_owned()],
        ..rule("ghcr.io/*")
    };
    let elsewhere = Rule {
        issuers: vec!["A".to_owned()],
        ..rule("ghcr.io/other/*")
    };
    let mine = Rule {
        issuers: vec!["A".to_owned(), claims.issuer().to_string()],
        ..rule("ghcr.io/org/*")
    };
    assert_eq!(refusal(&policy([]), &claims), "");
    assert_eq!(
        refusal(&policy([elsewhere, mine.clone(), strict.clone()]), &claims),
        ""
    );
    let refused = refusal(&policy([strict, mine]), &claims);
    assert!(refused.ends_with("are allowed for ghcr.io/*"), "{refused}");
}

#[test]
fn a_reference_that_no_rule_matches_is_denied_where_the_policy_says_so() {
    let claims = claims(None);
    let mut policy = policy([rule("docker.io")]);
    policy.deny_others = true;
    assert!(refusal(&policy, &claims).contains("no rule"));
    let layout = policy.check(&claims, &reference("oci-layout://folder:1"));
    assert!(layout.is_err());
    assert!(policy.check_file(&claims, "local.par").is_ok());
    policy.issuers = vec![claims.issuer().to_string()];
    assert_eq!(refusal(&policy, &claims), "");
}

#[test]
fn the_policy_itself_overrides_single_demands_of_a_rule() {
    let claims = claims(Some(3));
    let mut policy = policy([Rule {
        issuers: vec!["A".to_owned()],
        minimum_revision: Some(4),
        ..rule("*")
    }]);
    policy.issuers = vec![claims.issuer().to_string()];
    assert!(refusal(&policy, &claims).contains("at least 4"));
    policy.minimum_revision = Some(3);
    assert_eq!(refusal(&policy, &claims), "");
    policy.minimum_revision = Some(4);
    assert!(policy.check_file(&claims, "local.par").is_err());
    policy.rules[0].subjects = vec!["V".to_owned()];
    // Refusals by rules may only be warnings, so those of the policy itself come first.
    assert!(refusal(&policy, &claims).contains("at least 4"));
    policy.minimum_revision = None;
    assert!(refusal(&policy, &claims).contains("is the provider"));
}

#[test]
fn a_minimum_requires_a_revision() {
    let mut policy = policy([]);
    policy.minimum_revision = Some(0);
    assert!(refusal(&policy, &claims(None)).contains("has no revision"));
    assert!(refusal(&policy, &claims(Some(-1))).contains("has revision -1"));
    assert_eq!(refusal(&policy, &claims(Some(0))), "");
}

#[test]
fn registries_on_this_machine_are_pinned_only_by_a_rule() {
    let (local, layout) = (
        reference("localhost:5000/a:1"),
        reference("oci-layout://a:1"),
    );
    let mut policy = policy([]);
    for pinning in [Pinning::Off, Pinning::FirstUse, Pinning::Required] {
        policy.pinning = pinning;
        assert_eq!(policy.pinning_of(&reference(REFERENCE)), pinning);
        assert_eq!(policy.pinning_of(&local), Pinning::Off);
    }
    policy.rules = vec![Rule {
        pinning: Some(Pinning::FirstUse),
        ..rule("*")
    }];
    assert_eq!(policy.pinning_of(&local), Pinning::FirstUse);
    assert_eq!(policy.pinning_of(&layout), Pinning::Off);
}

fn judge(
    policy: &TrustPolicy,
    known: &Pin,
    text: &str,
    claims: &VerifiedClaims,
) -> Result<Option<Pin>, TrustError> {
    let candidate = Candidate {
        reference: &reference(text),
        claims,
        digest: &crate::content::Digest::of(b"manifest"),
        rotation: None,
    };
    policy.judge(Some(known), "ghcr.io/org/provider", &candidate)
}

/// Returns a pin to the publisher of these claims, whose archive was used before.
fn pin_to(claims: &VerifiedClaims) -> Pin {
    let mut pin = Pin::new(claims.issuer().as_str(), claims.subject().as_str());
    pin.note_use(&crate::content::Digest::of(b"manifest"));
    pin
}

#[test]
fn a_pin_changes_only_when_there_is_something_to_remember() {
    let (claims, policy) = (claims(Some(3)), policy([]));
    let pin = pin_to(&claims);
    let pinned = judge(&policy, &pin, REFERENCE, &claims).unwrap().unwrap();
    assert_eq!(pinned.revisions.get("1.0"), Some(&3));
    assert_eq!(judge(&policy, &pinned, REFERENCE, &claims).unwrap(), None);
    let digest = format!("{REFERENCE}@{}", crate::content::Digest::of(b""));
    assert_eq!(judge(&policy, &pin, &digest, &claims).unwrap(), None);
}

#[test]
fn a_lower_revision_is_refused_under_the_tag_that_had_a_higher_one() {
    let (claims, mut policy) = (claims(Some(3)), policy([]));
    let mut pin = pin_to(&claims);
    pin.revisions.insert("1.0".to_owned(), 4);
    let refused = judge(&policy, &pin, REFERENCE, &claims).unwrap_err();
    assert!(matches!(refused, TrustError::Downgrade { highest: 4, .. }));
    let other = judge(&policy, &pin, "ghcr.io/org/provider:0.9", &claims);
    assert_eq!(other.unwrap().unwrap().revisions.len(), 2);
    policy.allow_downgrade = true;
    let lowered = judge(&policy, &pin, REFERENCE, &claims).unwrap().unwrap();
    assert_eq!(lowered.revisions.get("1.0"), Some(&3));
}

#[test]
fn an_archive_without_a_revision_is_older_than_any_that_has_one() {
    let (claims, mut policy) = (claims(None), policy([]));
    let mut pin = pin_to(&claims);
    assert_eq!(judge(&policy, &pin, REFERENCE, &claims).unwrap(), None);
    pin.revisions.insert("1.0".to_owned(), 5);
    let refused = judge(&policy, &pin, REFERENCE, &claims).unwrap_err();
    let said = "has no revision, and had revision 5 before";
    assert!(refused.to_string().contains(said), "{refused}");
    policy.allow_downgrade = true;
    let lowered = judge(&policy, &pin, REFERENCE, &claims).unwrap().unwrap();
    assert!(lowered.revisions.is_empty());
}

#[test]
fn accepting_another_identity_does_not_accept_an_older_archive() {
    let (claims, mut policy) = (claims(Some(3)), policy([]));
    let mut pin = Pin::new(claims.issuer().as_str(), "V");
    pin.revisions.insert("1.0".to_owned(), 4);
    let refused = judge(&policy, &pin, REFERENCE, &claims).unwrap_err();
    let TrustError::IdentityChanged { changes, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(
        changes,
        [format!("subject V -> {}", claims.subject().as_str())]
    );
    pin.revisions.insert("2.0".to_owned(), 9);
    policy.accept_identity = true;
    let refused = judge(&policy, &pin, REFERENCE, &claims).unwrap_err();
    assert!(matches!(refused, TrustError::Downgrade { highest: 4, .. }));
    policy.allow_downgrade = true;
    let accepted = judge(&policy, &pin, REFERENCE, &claims).unwrap().unwrap();
    assert_eq!(accepted.subject, claims.subject().as_str());
    assert_eq!(accepted.revisions.get("1.0"), Some(&3));
    assert_eq!(accepted.revisions.get("2.0"), Some(&9));
}
