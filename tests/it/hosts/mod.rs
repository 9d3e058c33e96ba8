//! Who is asked, and over what connection: TLS, mirrors and proxies.

mod mirrors;
mod proxies;
mod tls;
mod trouble;

use std::fs;
use std::path::Path;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// A small archive in a file.
fn archive(environment: &Environment) -> String {
    let content = ArchiveBuilder::two_targets().build();
    text(&environment.write("provider.par", content))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Says where `registry` is to be found: in the user's own folder, which needs no option.
pub(crate) fn configure(environment: &Environment, registry: &str, hosts_toml: &str) {
    let path = environment
        .home()
        .join(".config/wasmcloud-par/hosts")
        .join(registry)
        .join("hosts.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, hosts_toml).unwrap();
}

/// Runs the command, with these options behind it.
#[track_caller]
fn par(environment: &Environment, arguments: &[&str], options: &[&str]) -> Outcome {
    environment.par(arguments.iter().chain(options))
}

/// Pushes a small archive straight to `NAME` in `registry`, and gives its file.
fn pushed(environment: &Environment, registry: &Registry, name: &str) -> String {
    let file = archive(environment);
    let reference = registry.reference(name);
    par(environment, &["push", &reference, &file], &[]).success();
    file
}

/// Asserts that the command pulls `reference`, and that what it pulls is `file`.
#[track_caller]
fn assert_pulls(environment: &Environment, reference: &str, file: &str, options: &[&str]) {
    let copy = text(&environment.path("copy.par"));
    // What is in the cache is not asked for.
    let cache = environment.home().join(".cache");
    if cache.exists() {
        fs::remove_dir_all(cache).unwrap();
    }
    let pull = ["pull", reference, "--destination", &copy];
    par(environment, &pull, options).success();
    assert_eq!(fs::read(copy).unwrap(), fs::read(file).unwrap());
}
