//! Several processes that change one lock file, and files that cannot be the lock file too.

use std::fs;
use std::thread;

use super::{Deployment, WHAT_RUNS};
use crate::support::archives::ArchiveBuilder;
use crate::transfer::push;

/// How many references are renewed at the same time.
const REFERENCES: usize = 6;

#[test]
fn processes_that_renew_different_entries_at_the_same_time_lose_none() {
    let deployment = Deployment::new();
    let publish = |reference: &str, world: &str| {
        let keys = (deployment.account.clone(), deployment.service.clone());
        let archive = ArchiveBuilder::two_targets().keys(keys.0, keys.1);
        let archive = archive.world(world.as_bytes()).build();
        let file = deployment.environment.write("next.par", archive);
        push(&deployment.environment, reference, &file)
    };
    let references: Vec<String> = (0..REFERENCES)
        .map(|number| deployment.registry.reference(&format!("many{number}:1")))
        .collect();
    for reference in &references {
        publish(reference, "one");
    }
    deployment
        .environment
        .write(WHAT_RUNS, references.join("\n"));
    deployment.par(&["lock", WHAT_RUNS]).success();
    let moved = references.iter().map(|reference| publish(reference, "two"));
    let moved: Vec<String> = moved.collect();

    thread::scope(|scope| {
        for reference in &references {
            let deployment = &deployment;
            scope.spawn(move || deployment.par(&["lock", "--update", reference]).success());
        }
    });

    let locked = deployment.lock_file();
    for digest in &moved {
        assert!(locked.contains(digest), "{digest} is missing in {locked}");
    }
}

#[test]
fn the_lock_file_is_neither_the_deployment_nor_the_file_with_digests() {
    let deployment = Deployment::new();
    let directory = deployment.environment.path("deep");
    fs::create_dir(&directory).unwrap();
    for written in ["par.lock", "deep/../par.lock"] {
        let refused = deployment.par(&["lock", WHAT_RUNS, "--write", written]);
        let refused = refused.exit(2);
        assert!(
            refused.stderr.contains("which is the lock file"),
            "{refused}"
        );
        assert!(!deployment.environment.path("par.lock").exists());
    }
    let before = fs::read(deployment.environment.path(WHAT_RUNS)).unwrap();
    std::os::unix::fs::symlink(WHAT_RUNS, deployment.environment.path("link")).unwrap();
    for name in [WHAT_RUNS, "link"] {
        let refused = deployment.par(&["lock", WHAT_RUNS, "--destination", name]);
        let said = "cannot be both the deployment and the lock file";
        let refused = refused.exit(2);
        assert!(refused.stderr.contains(said), "{refused}");
        let after = fs::read(deployment.environment.path(WHAT_RUNS)).unwrap();
        assert_eq!(after, before);
    }
}
