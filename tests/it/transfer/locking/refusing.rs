//! Changes that `par lock` refuses to write.

use nkeys::KeyPair;
use serde_json::json;

use super::{Deployment, WHAT_RUNS};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome};
use crate::transfer::push;

/// Pushes an archive with these keys and this revision.
fn publish(
    deployment: &Deployment,
    reference: &str,
    keys: (&KeyPair, &KeyPair),
    revision: Option<i32>,
) -> String {
    let archive = ArchiveBuilder::two_targets().keys(keys.0.clone(), keys.1.clone());
    let archive = archive.wascap(move |wascap| {
        match revision {
            Some(revision) => wascap.insert("rev".to_owned(), revision.into()),
            None => wascap.remove("rev"),
        };
    });
    let file = deployment
        .environment
        .write("pushed.par", archive.build_gzip());
    push(&deployment.environment, reference, &file)
}

#[test]
fn another_publisher_of_a_locked_reference_is_locked_only_with_the_option() {
    let deployment = Deployment::locked();
    let before = deployment.lock_file();
    let (reference, _) = &deployment.a;
    let new = deployment.move_tag();

    let refused = deployment.par(&["lock", WHAT_RUNS]).exit(5);
    assert_eq!(refused.stdout, "");
    let locked = deployment.account.public_key();
    assert!(
        refused
            .stderr
            .contains(&format!("{reference} has the issuer ")),
        "{refused}"
    );
    assert!(
        refused
            .stderr
            .contains(&format!("and the lock has {locked}")),
        "{refused}"
    );
    assert!(refused.stderr.contains("the subject"), "{refused}");
    assert!(refused.stderr.contains("--accept-identity"), "{refused}");
    assert_eq!(deployment.lock_file(), before);
    let downgrade = ["lock", WHAT_RUNS, "--allow-downgrade"];
    deployment.par(&downgrade).exit(5);
    assert_eq!(deployment.lock_file(), before);

    let accepted = ["lock", WHAT_RUNS, "--accept-identity"];
    deployment.par(&accepted).success();
    assert!(deployment.lock_file().contains(&new));
}

#[test]
fn the_locked_publisher_of_a_repository_applies_to_its_other_tags() {
    let deployment = Deployment::locked();
    let next = deployment.registry.reference("a:2.0.0");
    let (account, service) = (KeyPair::new_account(), &deployment.service);
    publish(&deployment, &next, (&account, service), Some(9));
    let list = format!("{next}\n{}\n", deployment.b.0);
    deployment.environment.write(WHAT_RUNS, &list);
    let refused = deployment.par(&["lock", WHAT_RUNS]).exit(5);
    assert!(refused.stderr.contains("has the issuer"), "{refused}");
    publish(&deployment, &next, (&deployment.account, service), None);
    deployment.par(&["lock", WHAT_RUNS]).success();
    assert!(deployment.lock_file().contains(&next));
}

#[test]
fn a_lower_revision_is_locked_only_with_the_option() {
    for lower in [Some(6), None] {
        let deployment = Deployment::locked();
        let before = deployment.lock_file();
        let (reference, _) = &deployment.a;
        let keys = (&deployment.account, &deployment.service);
        publish(&deployment, reference, keys, lower);
        let lock = ["lock", WHAT_RUNS, "--accept-identity"];
        let refused = deployment.par(&lock).exit(5);
        assert!(
            refused
                .stderr
                .contains("but the lock has the higher revision 7"),
            "{refused}"
        );
        assert!(refused.stderr.contains("--allow-downgrade"), "{refused}");
        assert_eq!(deployment.lock_file(), before);
        let lock = ["lock", WHAT_RUNS, "--allow-downgrade"];
        deployment.par(&lock).success();
        assert_ne!(deployment.lock_file(), before);
    }
}

#[test]
fn every_failure_is_reported() {
    let deployment = Deployment::locked();
    let before = deployment.lock_file();
    let [missing, moved] = ["a:9", "b:9"].map(|name| deployment.registry.reference(name));
    deployment.move_tag();
    let list = format!("{missing}\nNOWHERE\n{moved}\n{}\n", deployment.a.0);
    deployment.environment.write("broken.txt", list);
    let lock = ["lock", WHAT_RUNS, "broken.txt", "none.txt"];
    let refused = deployment.par(&lock).exit(5);
    for said in [
        "the manifest 9 of",
        "broken.txt, line 2",
        "none.txt",
        "has the issuer",
        "has the subject",
        "stays as it was",
    ] {
        assert!(refused.stderr.contains(said), "{said}: {refused}");
    }
    assert_eq!(refused.stderr.matches("the manifest 9 of").count(), 2);
    let object = deployment.par(&[&lock[..], &["-o", "json"]].concat());
    let object = object.exit(5).json();
    let failures = object["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 6, "{object}");
    let kinds = ["usage", "not_found", "not_verified"];
    for kind in kinds {
        assert!(failures.iter().any(|failure| failure["kind"] == kind));
    }
    assert_eq!(object["error"]["kind"], "not_verified");
    assert_eq!(deployment.lock_file(), before);

    // Without a refusal, the first failure decides.
    let list = format!("{missing}\n{moved}\n");
    deployment.environment.write("missing.txt", list);
    for options in [&[][..], &["--check"]] {
        let lock = [&["lock", "missing.txt"], options].concat();
        let refused = deployment.par(&lock).exit(3);
        assert_eq!(refused.stderr.matches("the manifest 9 of").count(), 2);
        assert_eq!(deployment.lock_file(), before);
    }
}

#[test]
fn a_file_that_is_not_a_deployment_is_an_error_and_does_not_empty_the_lock() {
    let deployment = Deployment::locked();
    let before = deployment.lock_file();
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.txt", b"", "empty.txt has no reference"),
        ("comments.txt", b"# nothing\n\n", "comments.txt has no reference"),
        ("binary", b"\x7fELF\x02\x01\x00\xff", "binary is not text"),
        ("zeros", b"a\0b\n", "zeros is not text"),
        ("notes.md", b"# Notes\nSome words\nand more", "neither a list of references nor a wadm manifest"),
        ("values.yaml", b"image: ghcr.io/org/a:1\n", "values.yaml is not a wadm manifest"),
        ("service.yaml", b"kind: Service\nspec: {}\n", "service.yaml is not a wadm manifest"),
        ("copied.lock", before.as_bytes(), "copied.lock is a lock file"),
        (
            "components.yaml",
            b"kind: Application\nspec:\n  components:\n  - {name: a, type: component, properties: {image: ghcr.io/a/b:1}}\n",
            "no provider to lock",
        ),
    ];
    for (name, content, said) in cases {
        deployment.environment.write(name, content);
        for options in [&[][..], &["--check"]] {
            let lock = [&["lock", name], options].concat();
            let refused = deployment.par(&lock).exit(2);
            assert!(refused.stderr.contains(said), "{refused}");
            assert_eq!(deployment.lock_file(), before);
        }
    }
    let mut command = deployment.environment.command();
    command.args(["lock", "-"]);
    let refused = Outcome::of(command, b"").exit(2);
    assert!(
        refused.stderr.contains("standard input has no reference"),
        "{refused}"
    );
    assert_eq!(deployment.lock_file(), before);
}

#[test]
fn files_of_this_machine_are_left_out_with_a_warning() {
    let deployment = Deployment::new();
    let list = format!("file://./build/a.par.gz\n{}\n", deployment.a.0);
    deployment.environment.write("files.txt", list);
    let locked = deployment.par(&["lock", "files.txt"]).success();
    let said = "warning: files.txt, line 1: file://./build/a.par.gz is left out";
    assert!(locked.stderr.contains(said), "{locked}");
    assert_eq!(deployment.lock_file().matches("[[provider]]").count(), 1);
    let only = "kind: Application\nspec:\n  components:\n  - name: a\n    type: capability\n    \
                properties: {image: file://a.par}\n";
    deployment.environment.write("only.yaml", only);
    let before = deployment.lock_file();
    let refused = deployment.par(&["lock", "only.yaml"]).exit(2);
    assert!(refused.stderr.contains("no provider to lock"), "{refused}");
    assert_eq!(deployment.lock_file(), before);
}

#[test]
fn the_examples_of_the_help_are_for_options_that_exist() {
    let help = Environment::new().par(["lock", "--help"]).success();
    for option in [
        "--update",
        "--write",
        "--accept-identity",
        "--allow-downgrade",
    ] {
        assert!(help.stdout.contains(option), "{help}");
    }
    let object = Environment::new()
        .par(["lock", "-o", "json"])
        .exit(2)
        .json();
    assert_eq!(object["success"], json!(false));
}
