//! Deployments that are written with digests, and locks of which one entry is renewed.

use std::fs;

use super::{Deployment, WHAT_RUNS};
use crate::support::archives::ArchiveBuilder;
use crate::transfer::push;

/// Moves the tags of both providers to newer archives of their publisher.
fn release(deployment: &Deployment) -> [String; 2] {
    [&deployment.a.0, &deployment.b.0].map(|reference| {
        let keys = (deployment.account.clone(), deployment.service.clone());
        let archive = ArchiveBuilder::two_targets().keys(keys.0, keys.1);
        let archive = archive.wascap(|wascap| {
            wascap.insert("rev".to_owned(), 8.into());
        });
        let file = deployment.environment.write("new.par", archive.build());
        push(&deployment.environment, reference, &file)
    })
}

#[test]
fn only_the_named_entries_are_renewed() {
    let deployment = Deployment::locked();
    let [(a, old_a), (b, old_b)] = [&deployment.a, &deployment.b];
    let [new_a, new_b] = release(&deployment);

    let updated = deployment.par(&["lock", "--update", a]).success();
    let expected = format!("{a}: digest {old_a} -> {new_a}\n{a}: revision 7 -> 8\n");
    assert_eq!(updated.stdout, expected);
    let file = deployment.lock_file();
    assert!(file.contains(&new_a) && file.contains(old_b), "{file}");

    let both = ["lock", "--update", b, a, "-o", "json"];
    let object = deployment.par(&both).success().json();
    assert_eq!(object["changes"].as_array().unwrap().len(), 2, "{object}");
    assert!(deployment.lock_file().contains(&new_b));
    deployment.par(&["lock", "--check", WHAT_RUNS]).success();

    let before = deployment.lock_file();
    let other = deployment.registry.reference("a:2.0.0");
    let refused = deployment.par(&["lock", "--update", &other, a]).exit(3);
    assert!(
        refused.stderr.contains("is not in the lock file"),
        "{refused}"
    );
    deployment.move_tag();
    let refused = deployment.par(&["lock", "--update", a]).exit(5);
    assert!(refused.stderr.contains("--accept-identity"), "{refused}");
    assert_eq!(deployment.lock_file(), before);
    let elsewhere = ["lock", "--update", a, "--destination", "none.lock"];
    deployment.par(&elsewhere).exit(3);
    deployment.par(&["lock", "--update", a, "--check"]).exit(2);
}

#[test]
fn a_manifest_is_written_with_digests_and_its_comments() {
    let deployment = Deployment::new();
    let [(a, digest_a), (b, digest_b)] = [&deployment.a, &deployment.b];
    let manifest = |a: &str, b: &str| {
        format!(
            "# The deployment\n---\nkind: Application   # of wadm\nspec:\n  components:\n    \
             - name: one\n      type: capability\n      properties:\n        \
             image: \"{a}\"   # as released\n    - {{name: two, type: capability, properties: {{image: {b}}}}}\n    \
             - name: web\n      type: component\n      properties: {{image: ghcr.io/org/web:1}}\n...\n"
        )
    };
    let plain = manifest(a, b);
    deployment.environment.write("wadm.yaml", &plain);
    let lock = ["lock", "wadm.yaml", "--write", "pinned.yaml"];
    let object = deployment.par(&[&lock[..], &["-o", "json"]].concat());
    assert_eq!(object.success().json()["written"], "pinned.yaml");
    let read = |name| fs::read_to_string(deployment.environment.path(name)).unwrap();
    let expected = manifest(&format!("{a}@{digest_a}"), &format!("{b}@{digest_b}"));
    assert_eq!(read("pinned.yaml"), expected);
    assert_eq!(read("wadm.yaml"), plain);
    assert_eq!(deployment.lock_file().matches("[[provider]]").count(), 2);
    // The written file is a deployment with digests, and is not changed again.
    let again = ["lock", "pinned.yaml", "--write", "pinned.yaml"];
    deployment.par(&again).success();
    assert_eq!(read("pinned.yaml"), expected);

    // The file is a list, and is written in place.
    let in_place = ["lock", WHAT_RUNS, "--write", WHAT_RUNS];
    deployment.par(&in_place).success();
    let list = format!("# What runs\n{b}@{digest_b}\n{a}@{digest_a}\n");
    assert_eq!(read(WHAT_RUNS), list);
}

#[test]
fn a_tag_with_its_locked_digest_has_the_entry_of_the_tag() {
    let deployment = Deployment::new();
    let [(a, digest_a), (b, _)] = [&deployment.a, &deployment.b];
    deployment
        .par(&["lock", WHAT_RUNS, "--write", WHAT_RUNS])
        .success();
    let lock = deployment.lock_file();
    assert_eq!(
        deployment
            .par(&["lock", "--check", WHAT_RUNS])
            .success()
            .stdout,
        ""
    );
    assert_eq!(deployment.par(&["lock", WHAT_RUNS]).success().stdout, "");
    assert_eq!(deployment.lock_file(), lock);
    for reference in [a, &format!("{a}@{digest_a}")] {
        deployment.par(&["fetch", "--locked", reference]).success();
    }

    // A tag that has moved does not matter to a deployment with digests.
    let [(_, new_a), _] = release(&deployment).map(|digest| (a, digest));
    deployment.par(&["lock", "--check", WHAT_RUNS]).success();
    deployment.par(&["lock", WHAT_RUNS]).success();
    assert_eq!(deployment.lock_file(), lock);

    deployment
        .environment
        .write(WHAT_RUNS, format!("{a}@{new_a}\n{a}\n{b}\n"));
    let changed = deployment.par(&["lock", WHAT_RUNS]).success();
    let expected = format!("{a}: digest {digest_a} -> {new_a}\n");
    assert!(changed.stdout.contains(&expected), "{changed}");
    deployment
        .environment
        .write(WHAT_RUNS, format!("{a}@{new_a}\n{a}@{digest_a}\n"));
    let refused = deployment.par(&["lock", WHAT_RUNS]).exit(2);
    assert!(refused.stderr.contains("has two digests"), "{refused}");
}

#[test]
fn a_manifest_is_not_written_when_its_providers_cannot_be_locked() {
    let deployment = Deployment::locked();
    deployment.move_tag();
    let lock = ["lock", WHAT_RUNS, "--write", "pinned.txt"];
    deployment.par(&lock).exit(5);
    assert!(!deployment.environment.path("pinned.txt").exists());
    for wrong in [
        &["lock", WHAT_RUNS, WHAT_RUNS, "--write", "pinned.txt"][..],
        &["lock", WHAT_RUNS, "--check", "--write", "pinned.txt"],
        &["lock", WHAT_RUNS, "--write", "-"],
    ] {
        deployment.par(wrong).exit(2);
    }
    assert!(!deployment.environment.path("pinned.txt").exists());
}

#[test]
fn a_failure_to_write_one_of_the_two_files_leaves_both_as_they_were() {
    let deployment = Deployment::new();
    let read = || fs::read_to_string(deployment.environment.path(WHAT_RUNS)).unwrap();
    let files = || {
        let files = deployment.environment.files().into_iter();
        let files = files.filter(|name| name.starts_with("work/"));
        files.collect::<Vec<_>>()
    };
    let before = (read(), files());
    let (lock, pinned) = ("none/par.lock", "none/pinned.txt");
    let in_place = ["lock", WHAT_RUNS, "--write", WHAT_RUNS];
    let no_lock = [&in_place[..], &["--destination", lock]].concat();
    let no_deployment = vec!["lock", WHAT_RUNS, "--write", pinned];
    for (command, missing) in [(no_lock, lock), (no_deployment, pinned)] {
        let failed = deployment.par(&command).exit(3);
        assert!(failed.stderr.contains(missing), "{failed}");
        assert!(!failed.stderr.contains("wrote "), "{failed}");
        assert_eq!((read(), files()), before);
    }
}
