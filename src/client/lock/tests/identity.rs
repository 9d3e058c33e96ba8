use super::*;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/org/demo/.github/workflows/release.yml";

fn locked(subject: &str) -> LockedIdentity {
    LockedIdentity {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        root: LockedRoot::Public,
    }
}

#[test]
fn a_release_keeps_the_identity_of_the_last_one_and_a_branch_does_not() {
    let release = locked(&format!("{WORKFLOW}@refs/tags/v1.0.0"));
    assert!(release.continues_as(&release));
    assert!(release.continues_as(&locked(&format!("{WORKFLOW}@refs/tags/v1.1.0"))));
    for other in [
        format!("{WORKFLOW}@refs/heads/main"),
        WORKFLOW.to_owned(),
        format!("{WORKFLOW}x@refs/tags/v1.0.0"),
        "https://github.com/org/other/.github/workflows/release.yml@refs/tags/v1.0.0".to_owned(),
        "dev@example.com".to_owned(),
    ] {
        assert!(!release.continues_as(&locked(&other)), "{other}");
    }
    let main = locked(&format!("{WORKFLOW}@refs/heads/main"));
    assert!(!main.continues_as(&locked(&format!("{WORKFLOW}@refs/heads/other"))));
    // This is not the subject of a workflow.
    assert!(!locked("a@refs/tags/1").continues_as(&locked("a@refs/tags/2")));
    let elsewhere = LockedIdentity {
        root: LockedRoot::GitHub,
        ..release.clone()
    };
    assert!(!release.continues_as(&elsewhere));
    let issued = LockedIdentity {
        issuer: "https://gitlab.com".to_owned(),
        ..release.clone()
    };
    assert!(!release.continues_as(&issued));
}

#[test]
fn the_rules_of_a_locked_identity_are_those_of_the_policy_that_allow_it() {
    let release = locked(&format!("{WORKFLOW}@refs/tags/v1.0.0"));
    let exactly = SigstoreRule::new(ISSUER, &*release.subject);
    assert_eq!(release.rules(&[]), std::slice::from_ref(&exactly));
    let workflows = SigstoreRule::new(ISSUER, "https://github.com/org/*");
    let provenance = workflows
        .clone()
        .predicate("https://slsa.dev/provenance/v1");
    let elsewhere = workflows.clone().root(SigstoreRoot::GitHub);
    let other = SigstoreRule::new(ISSUER, "https://github.com/other/*");
    assert_eq!(
        release.rules(&[other.clone(), provenance, elsewhere]),
        [exactly.predicate("https://slsa.dev/provenance/v1")]
    );
    assert_eq!(release.rules(&[other]), []);
}

#[test]
fn an_instance_that_only_a_file_names_needs_the_policy() {
    let release = LockedIdentity {
        root: LockedRoot::Other,
        ..locked("dev@example.com")
    };
    assert_eq!(release.rules(&[]), []);
    let root = SigstoreRoot::File("trusted_root.json".into());
    let rule = SigstoreRule::new(ISSUER, "*@example.com").root(root.clone());
    let narrowed = SigstoreRule::new(ISSUER, "dev@example.com").root(root);
    assert_eq!(release.rules(&[rule]), [narrowed]);
}
