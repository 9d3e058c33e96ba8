//! The issuers, subjects and revisions in a lock.

use std::fs;

use serde_json::{Value, json};
use wasmcloud_par::client::{Error, Lock};
use wasmcloud_par::trust::{Pinning, Rule, TrustPolicy};

use super::{Deployment, WHAT_RUNS};
use crate::support::archives::ArchiveBuilder;
use crate::support::block_on;
use crate::transfer::{client_trusting, peer, push, text};

#[test]
fn the_claims_of_a_release_are_not_locked_with_the_archive_of_another() {
    let deployment = Deployment::new();
    let revision = |number: i32| {
        let (account, service) = (deployment.account.clone(), deployment.service.clone());
        let archive = ArchiveBuilder::two_targets().keys(account, service);
        let archive = archive.wascap(move |wascap| {
            wascap.insert("rev".to_owned(), number.into());
        });
        let file = deployment.environment.write("pushed.par", archive.build());
        let digest = push(&deployment.environment, &deployment.a.0, &file);
        let manifest = fs::read(deployment.registry.blob(&digest)).unwrap();
        serde_json::from_slice::<Value>(&manifest).unwrap()
    };
    let (new, mut old) = (revision(9), revision(8));
    old["annotations"] = new["annotations"].clone();
    peer::push_manifest(&deployment.a.0, peer::MANIFEST, &old);

    // Only the manifest is read.
    deployment.par(&["lock", WHAT_RUNS]).success();
    assert!(deployment.lock_file().contains("revision = 9"));

    let pull = ["pull", &deployment.a.0, "--locked"];
    for refused in [deployment.fetch(&["--locked"]), deployment.par(&pull)] {
        let refused = refused.exit(5);
        assert!(refused.stderr.contains("other claims than"), "{refused}");
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn changes_of_publisher_version_and_revision_are_reported() {
    let deployment = Deployment::new();
    let reference = deployment.a.0.clone();
    deployment.environment.write("a.txt", &reference);
    let lock = |version: &str, revision: Option<i32>| {
        let (account, service) = (deployment.account.clone(), deployment.service.clone());
        let archive = ArchiveBuilder::two_targets().keys(account, service);
        let version = version.to_owned();
        let archive = archive.wascap(move |wascap| {
            wascap.insert("ver".to_owned(), version.into());
            match revision {
                Some(revision) => wascap.insert("rev".to_owned(), revision.into()),
                None => wascap.remove("rev"),
            };
        });
        let file = deployment.environment.write("pushed.par", archive.build());
        push(&deployment.environment, &reference, &file);
        let locked = deployment
            .par(&["lock", "a.txt", "--allow-downgrade"])
            .success()
            .stdout;
        let (digest, rest) = locked.split_once('\n').unwrap();
        (digest.to_owned(), rest.to_owned())
    };
    let (added, rest) = lock("2", Some(2));
    assert!(added.starts_with(&format!("{reference}: added, sha256:")));
    assert_eq!(rest, "");
    let mut before = "2".to_owned();
    for (version, revision, change) in [
        ("3", Some(3), "2 -> 3"),
        ("1", Some(1), "3 -> 1"),
        ("0", None, "1 -> none"),
        ("4", Some(4), "none -> 4"),
    ] {
        let (moved, rest) = lock(version, revision);
        assert!(moved.starts_with(&format!("{reference}: digest sha256:")));
        let versions = format!("{reference}: version {before} -> {version}\n");
        assert_eq!(rest, format!("{versions}{reference}: revision {change}\n"));
        before = version.to_owned();
    }

    let edited = deployment.lock_file().replace("revision = 4\n", "");
    deployment.environment.write("par.lock", edited);
    let locked = deployment.par(&["lock", "a.txt", "-o", "json"]).success();
    let expected = json!([{ "reference": reference, "field": "revision", "from": null, "to": 4 }]);
    assert_eq!(locked.json()["changes"], expected);
}

#[test]
fn another_revision_than_the_locked_one_is_refused() {
    let deployment = Deployment::locked();
    for (revision, said) in [
        (
            "revision = 8",
            Some("has revision 7, and is locked with revision 8"),
        ),
        ("", None),
    ] {
        let edited = deployment.lock_file().replace("revision = 7", revision);
        let file = deployment.environment.write("edited.lock", edited);
        let fetched = deployment.fetch(&["--lock-file", text(&file)]);
        assert_eq!(
            fetched.code,
            if said.is_some() { 5 } else { 0 },
            "{fetched}"
        );
        assert!(
            fetched.stderr.contains(said.unwrap_or_default()),
            "{fetched}"
        );
    }
}

#[test]
fn an_accepted_publisher_must_be_locked_as_well() {
    let deployment = Deployment::locked();
    let lock = Lock::read(&deployment.environment.path("par.lock")).unwrap();
    deployment.move_tag();
    // A registry on this machine is pinned only if a rule demands it.
    let mut rule = Rule::new(deployment.registry.address().parse().unwrap());
    rule.pinning = Some(Pinning::FirstUse);
    let mut trust = TrustPolicy::default();
    trust.rules = vec![rule];
    let client = client_trusting(&deployment.environment.path("cache"), trust);
    let (reference, account) = (deployment.a.0.parse().unwrap(), &deployment.account);
    let accepted = block_on(client.accept(&reference)).unwrap();
    assert_ne!(accepted.issuer().as_str(), account.public_key());
    let client = client.with_lock(lock);
    let accepted = block_on(client.accept(&reference)).unwrap();
    assert_eq!(accepted.issuer().as_str(), account.public_key());
    let other = reference.with_tag("other").unwrap();
    let refused = block_on(client.accept(&other)).unwrap_err();
    assert!(matches!(refused, Error::Lock(_)), "{refused}");
}
