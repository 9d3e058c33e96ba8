//! Blobs that this user has seen in one repository are mounted by a push to another one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{digest, par, peer, push, small, text};
use crate::support::{Environment, Registry};

/// Pushes, and returns how many blobs were mounted and how many were sent.
#[track_caller]
fn uploads(
    environment: &Environment,
    registry: &Registry,
    name: &str,
    file: &Path,
) -> (usize, usize) {
    let before = registry.requests().len();
    let pushed = push(environment, &registry.reference(&format!("{name}:1")), file);
    let requests = registry.requests().split_off(before);
    let layer = digest(file).replace(':', "%3A");
    let about = |method: &str, part: &str| {
        let about = |line: &&String| line.starts_with(method) && line.contains(&layer);
        let about = requests.iter().filter(about);
        about.filter(|line| line.contains(part)).count()
    };
    let pulled = peer::pull(&registry.reference(&format!("{name}:1")));
    assert_eq!(pulled.digest, Some(pushed));
    assert_eq!(pulled.layers[0].data, fs::read(file).unwrap());
    (about("POST", "mount="), about("PUT", "digest="))
}

#[test]
fn blobs_that_were_pushed_or_pulled_before_are_mounted() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    assert_eq!(uploads(&environment, &registry, "one", &file), (0, 1));
    assert_eq!(uploads(&environment, &registry, "org/two", &file), (1, 0));
    // Another registry has none of these blobs.
    let other = Registry::start();
    assert_eq!(uploads(&environment, &other, "three", &file), (0, 1));
    assert_eq!(uploads(&environment, &registry, "three", &file), (1, 0));

    let somebody_else = Environment::new();
    let reference = registry.reference("org/two:1");
    par(
        &somebody_else,
        ["pull", &reference, "--destination", "provider.par"],
    )
    .success();
    let pulled = somebody_else.path("provider.par");
    assert_eq!(uploads(&somebody_else, &registry, "four", &pulled), (1, 0));
}

#[test]
fn a_repository_that_no_longer_has_the_blob_costs_one_request() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    uploads(&environment, &registry, "one", &file);
    let repositories = registry.storage().join("docker/registry/v2/repositories");
    fs::remove_dir_all(repositories.join("one")).unwrap();
    assert_eq!(uploads(&environment, &registry, "two", &file), (1, 1));

    let hex = digest(&file).replace("sha256:", "");
    let record = format!(".cache/wasmcloud-par/v1/places/sha256/{hex}");
    let record = environment.home().join(record);
    assert!(record.is_file());
    for (number, damage, mounts) in [
        (0, format!("{}\n", registry.reference("never/there")), 1),
        (1, "not a place\n\0\n".to_owned(), 0),
    ] {
        fs::write(&record, damage).unwrap();
        let name = format!("damaged{number}");
        assert_eq!(uploads(&environment, &registry, &name, &file), (mounts, 1));
    }
    // A push succeeds even if the record cannot be written.
    let directory = record.parent().unwrap();
    fs::remove_dir_all(directory).unwrap();
    symlink("nothing", directory).unwrap();
    let reference = registry.reference("last:1");
    let outcome = par(&environment, ["push", &reference, text(&file)]).success();
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    assert!(outcome.stderr.starts_with("sent "), "{outcome}");
}
