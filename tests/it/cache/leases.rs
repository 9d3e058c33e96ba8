//! Leases: an executable that a host has leased is not pruned.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use wasmcloud_par::archive::Target;
use wasmcloud_par::cache;
use wasmcloud_par::client::Error;
use wasmcloud_par::oci::Reference;

use super::Provider;
use crate::support::block_on;
use crate::transfer::{client, digest};

#[test]
fn a_lease_keeps_an_executable_and_its_manifest_from_being_pruned() {
    let provider = Provider::new();
    let client = client(provider.directory().parent().unwrap());
    let reference: Reference = provider.reference.parse().unwrap();
    let fetched = block_on(client.fetch(&reference, &Target::host())).unwrap();
    let lease = fetched.lease().unwrap();
    let another = fetched.lease().unwrap();
    assert_eq!(lease.path(), fetched.path);

    let spared = provider.cache(["prune", "--all"]).success();
    let said = format!("{} is leased or in use", fetched.path.display());
    assert!(spared.stderr.contains(&said), "{spared}");
    let pruned = provider.cache(["prune", "--all", "-o", "json"]).success();
    assert_eq!(pruned.json()["in_use"][0], fetched.path.to_str().unwrap());
    assert_eq!(digest(&fetched.path), provider.executable);
    assert!(provider.file("blobs", &provider.manifest).exists());
    // The provider can be fetched by its tag without the registry.
    provider.fetch(&["--pull", "never"]).success();

    drop(lease);
    provider.cache(["prune", "--all"]).success();
    assert!(fetched.path.exists());
    drop(another);
    provider.cache(["prune", "--all"]).success();
    assert!(!fetched.path.exists());
    assert_eq!(provider.kept("blobs"), [""; 0]);
    let error = fetched.lease().unwrap_err();
    assert!(
        matches!(&error, Error::Cache(cache::Error::NoExecutable(path)) if *path == fetched.path),
        "{error}"
    );
}

#[test]
fn the_lease_of_a_process_ends_with_it() {
    let provider = Provider::new();
    let path = provider.fetch(&[]).success().line().to_owned();
    // The child has the only open file with the lock of a lease.
    let leased = File::open(&path).unwrap();
    leased.lock_shared().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read line <&2"]);
    let (reader, writer) = std::io::pipe().unwrap();
    command.stdin(leased).stderr(reader).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    provider.cache(["prune", "--all"]).success();
    assert!(Path::new(&path).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    drop(writer);
    provider.cache(["prune", "--all"]).success();
    assert!(!Path::new(&path).exists());
}
