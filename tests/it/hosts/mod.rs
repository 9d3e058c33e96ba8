//! Connections to registries: TLS, mirrors and proxies.

mod mirrors;
mod proxies;
mod tls;
mod trouble;

use std::fs;
use std::path::Path;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// Writes a small archive to a file.
fn archive(environment: &Environment) -> String {
    let content = ArchiveBuilder::two_targets().build();
    text(&environment.write("provider.par", content))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Writes the `hosts.toml` of `registry` to the user's own directory, which is read without an option.
pub(crate) fn configure(environment: &Environment, registry: &str, hosts_toml: &str) {
    let path = environment
        .home()
        .join(".config/wasmcloud-par/hosts")
        .join(registry)
        .join("hosts.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, hosts_toml).unwrap();
}

/// Runs the command, followed by these options.
#[track_caller]
fn par(environment: &Environment, arguments: &[&str], options: &[&str]) -> Outcome {
    environment.par(arguments.iter().chain(options))
}

/// Pushes a small archive to `name` in `registry`, and returns its file.
fn pushed(environment: &Environment, registry: &Registry, name: &str) -> String {
    let file = archive(environment);
    let reference = registry.reference(name);
    par(environment, &["push", &reference, &file], &[]).success();
    file
}

/// Asserts that a pull of `reference` into an empty cache gives `file`.
#[track_caller]
fn assert_pulls(environment: &Environment, reference: &str, file: &str, options: &[&str]) {
    let copy = text(&environment.path("copy.par"));
    // Cached content would not be requested.
    let cache = environment.home().join(".cache");
    if cache.exists() {
        fs::remove_dir_all(cache).unwrap();
    }
    let pull = ["pull", reference, "--destination", &copy];
    par(environment, &pull, options).success();
    assert_eq!(fs::read(copy).unwrap(), fs::read(file).unwrap());
}
