use super::*;
#[cfg(feature = "sigstore")]
use crate::client::sigstore::SigstoreRoot;

fn policy(text: &str) -> TrustPolicy {
    let parsed = parse(text, Path::new("directory"));
    parsed.unwrap_or_else(|problem| panic!("{text}: {}", problem.reason))
}

fn problem(text: &str) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trust.toml");
    std::fs::write(&path, text).unwrap();
    let error = TrustPolicy::read(&path).unwrap_err();
    assert_eq!(error.kind(), crate::content::ErrorKind::Usage);
    let said = error.to_string();
    let (_, said) = said.split_once("trust.toml, ").unwrap();
    let (place, reason) = said.split_once(": ").unwrap();
    (place.to_owned(), reason.to_owned())
}

#[test]
fn a_policy_has_the_values_of_the_file_and_the_defaults_for_the_rest() {
    assert_eq!(policy(""), TrustPolicy::default());
    let subject = KeyPair::new_service().public_key();
    let issuer = KeyPair::new_account().public_key();
    let full = policy(&format!(
        r#"
            pin = "required"
            default = "deny"
            [[rule]]
            match = "ghcr.io/org/*"
            issuers = ["{issuer}"]
            subjects = ["{subject}"]
            min-revision = 3
            pin = "off"
            [[rule]]
            match = "*"
            "#
    ));
    assert_eq!(full.pinning, Pinning::Required);
    assert!(full.deny_others);
    let [first, second] = full.rules.as_slice() else {
        panic!("{full:?}");
    };
    assert_eq!(first.pattern.to_string(), "ghcr.io/org/*");
    assert_eq!(
        (&first.issuers, &first.subjects),
        (&vec![issuer], &vec![subject])
    );
    assert_eq!(first.minimum_revision, Some(3));
    assert_eq!(first.pinning, Some(Pinning::Off));
    assert!(second.issuers.is_empty() && second.subjects.is_empty());
    assert_eq!((second.minimum_revision, second.pinning), (None, None));
}

#[cfg(feature = "sigstore")]
#[test]
fn the_example_of_identities_in_the_documentation_is_a_policy() {
    let page = include_str!("../../../../docs/trust.md");
    let (_, example) = page.split_once("### Sigstore identities").unwrap();
    let (_, example) = example.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let [rule] = policy(example).rules.try_into().unwrap();
    let [workflow, person] = rule.identities.try_into().unwrap();
    assert_eq!(workflow.subject, "https://github.com/wasmcloud/*");
    assert_eq!(
        workflow.predicate.as_deref(),
        Some("https://slsa.dev/provenance/v1")
    );
    let root = SigstoreRoot::File("directory/trusted_root.json".into());
    assert_eq!(person.root, root);
}

#[cfg(not(feature = "sigstore"))]
#[test]
fn a_policy_with_identities_is_refused_without_the_feature() {
    let identity = "issuer = \"https://issuer.example\"\nsubject = \"*\"";
    let text = format!("[[rule]]\nmatch = \"*\"\n[[rule.identity]]\n{identity}");
    let (place, reason) = problem(&text);
    assert!(place.starts_with("line 3"), "{place}");
    assert!(
        reason.contains("without the feature `sigstore`"),
        "{reason}"
    );
}

#[test]
fn the_example_in_the_documentation_is_a_policy() {
    let page = include_str!("../../../../docs/trust.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example = policy(example);
    assert!(example.deny_others);
    assert_eq!(example.rules.len(), 3);
    assert_eq!(example.rules[1].minimum_revision, Some(3));
}

#[test]
fn revoked_keys_audits_and_stale_answers_are_read() {
    let account = KeyPair::new_account().public_key();
    let read = policy(&format!(
        "revoked = [\"{account}\"]\naudit = true\nstale = \"denied\"\n\
         [[rule]]\nmatch = \"*\"\naudit = false\nstale = \"unavailable\""
    ));
    assert_eq!(read.revoked, [account]);
    assert!(read.audit && read.restricts_files());
    assert_eq!(read.stale, Stale::Denied);
    assert_eq!(read.rules[0].audit, Some(false));
    assert_eq!(read.rules[0].stale, Some(Stale::Unavailable));
    let empty = policy("");
    assert!(!empty.audit && empty.revoked.is_empty());
    assert_eq!((empty.stale, empty.rules.len()), (Stale::Unavailable, 0));
}

#[test]
fn a_malformed_policy_is_reported_with_line_and_column() {
    let seed = KeyPair::new_account().seed().unwrap();
    let account = KeyPair::new_account().public_key();
    let service = KeyPair::new_service().public_key();
    for (text, place, reason) in [
        ("pinn = \"off\"", "line 1, column 1", "unknown field `pinn`"),
        ("\npin = \"never\"", "line 2, column 7", "unknown variant"),
        ("default = 1", "line 1, column 11", "wanted string"),
        (
            "[[rule]]\nissuers = []",
            "line 1, column 1",
            "missing field `match`",
        ),
        (
            "[[rule]]\nmatch = \"org/*\"",
            "line 2, column 9",
            "begins with a registry",
        ),
        (
            "[[rule]]\nmatch = \"*\"\nissuer = [\"A\"]",
            "line 3, column 1",
            "unknown field `issuer`",
        ),
        (
            "[[rule]]\nmatch = \"*\"\nmin-revision = 3000000000",
            "line 3, column 16",
            "invalid value",
        ),
        (
            "[[rule]]\nmatch = \"*\"\nissuers = []",
            "line 3, column 11",
            "empty list",
        ),
        (
            &format!("[[rule]]\nmatch = \"*\"\nissuers = [\"{account}\", \"{seed}\"]"),
            "line 3, column",
            "public key of an account",
        ),
        (
            &format!("[[rule]]\nmatch = \"*\"\nissuers = [ \"{service}\"]"),
            "line 3, column 13",
            "public key of an account",
        ),
        (
            &format!("[[rule]]\nmatch = \"*\" # ü\nsubjects = [\"{account}\"]"),
            "line 3, column 13",
            "public key of a service",
        ),
        ("pin = ", "line 1, column", ""),
    ] {
        let (found, said) = problem(text);
        assert!(found.starts_with(place), "{text}: {found}: {said}");
        assert!(said.contains(reason), "{text}: {said}");
        assert!(!said.contains(&seed));
    }
}

#[test]
fn a_file_that_is_not_text_or_too_large_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trust.toml");
    for bytes in [vec![0xff], vec![b' '; LIMIT as usize + 1]] {
        std::fs::write(&path, bytes).unwrap();
        let error = TrustPolicy::read(&path).unwrap_err();
        assert!(error.to_string().contains("trust.toml"), "{error}");
    }
}
