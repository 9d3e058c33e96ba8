//! The cache: when the registry is asked, what is served, what is removed, and what happens when files or
//! the system fail.

mod audit;
mod crowds;
mod damage;
mod killed;
mod leases;
mod no_answer;
mod offline;
mod policy;
mod trouble;
mod upkeep;
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{digest, pack, pack_noise, par, push};

/// An executable of this machine.
const ECHO: &str = "/bin/echo";
/// Another executable of this machine.
const TRUE: &str = "/bin/true";

/// A provider in a registry, and the environment of a user who fetches it.
struct Provider {
    environment: Environment,
    registry: Registry,
    reference: String,
    /// The digest of the manifest.
    manifest: String,
    /// The digest of the archive.
    layer: String,
    /// The digest of the executable.
    executable: String,
}

impl Provider {
    /// Pushes an executable of this machine to `provider:1.0.0`.
    fn new() -> Self {
        let environment = Environment::new();
        let file = pack(&environment, "provider.par.gz", Path::new(ECHO));
        Self::pushed(environment, &file, Path::new(ECHO))
    }

    /// Pushes an executable of `size` bytes of noise to `provider:1.0.0`.
    fn of_noise(size: usize) -> Self {
        let environment = Environment::new();
        let file = pack_noise(&environment, "provider.par.gz", size);
        let noise = environment.path("provider.par.gz.noise");
        Self::pushed(environment, &file, &noise)
    }

    fn pushed(environment: Environment, file: &Path, executable: &Path) -> Self {
        let registry = Registry::start();
        let reference = registry.reference("provider:1.0.0");
        Self {
            manifest: push(&environment, &reference, file),
            layer: digest(file),
            executable: digest(executable),
            environment,
            registry,
            reference,
        }
    }

    /// Pushes another executable to `provider:1.0.0`. Returns its digest.
    fn move_tag(&self) -> String {
        let elsewhere = Environment::new();
        let file = pack(&elsewhere, "other.par.gz", Path::new(TRUE));
        push(&elsewhere, &self.reference, &file);
        digest(Path::new(TRUE))
    }

    /// Removes the tag from the registry's storage.
    fn delete_tag(&self) {
        let tags = "docker/registry/v2/repositories/provider/_manifests/tags";
        fs::remove_dir_all(self.registry.storage().join(tags).join("1.0.0")).unwrap();
    }

    /// Runs `par fetch` with these options.
    #[track_caller]
    fn fetch(&self, options: &[&str]) -> Outcome {
        let arguments = ["fetch", &self.reference].into_iter();
        self.environment
            .par(arguments.chain(options.iter().copied()))
    }

    /// Runs `par pull` with these options.
    #[track_caller]
    fn pull(&self, options: &[&str]) -> Outcome {
        let arguments = ["pull", &self.reference].into_iter();
        self.environment
            .par(arguments.chain(options.iter().copied()))
    }

    /// Runs `par cache` with these arguments.
    #[track_caller]
    fn cache<const N: usize>(&self, arguments: [&str; N]) -> Outcome {
        self.environment.par(["cache"].into_iter().chain(arguments))
    }

    /// Fetches, and asserts that the result is the right executable.
    #[track_caller]
    fn fetches_the_executable(&self) {
        let outcome = self.fetch(&[]).success();
        assert_eq!(digest(Path::new(outcome.line())), self.executable);
    }

    /// The directory of the cache.
    fn directory(&self) -> PathBuf {
        self.environment.home().join(".cache/wasmcloud-par/v1")
    }

    /// The file with the content of a digest. `kind` is `blobs`, `executables` or `partial`.
    fn file(&self, kind: &str, digest: &str) -> PathBuf {
        self.directory().join(kind).join(digest.replace(':', "/"))
    }

    /// The record of the tag.
    fn record(&self) -> PathBuf {
        let path = self.registry.reference("provider/_tags/1.0.0");
        self.directory().join("references").join(path)
    }

    /// Moves the time at which the tag was confirmed back by this many seconds.
    fn confirmed(&self, seconds_ago: i64) {
        let text = fs::read(self.record()).unwrap();
        let mut record: Value = serde_json::from_slice(&text).unwrap();
        let confirmed = record["confirmed"].as_i64().unwrap();
        record["confirmed"] = (confirmed - seconds_ago).into();
        fs::write(self.record(), record.to_string()).unwrap();
    }

    /// The requests after the first `before` ones.
    fn requests_since(&self, before: usize) -> Vec<String> {
        self.registry.requests().split_off(before)
    }

    /// The files of one kind in the cache.
    fn kept(&self, kind: &str) -> Vec<String> {
        let directory = format!("home/.cache/wasmcloud-par/v1/{kind}/");
        let files = self.environment.files();
        let names = files
            .iter()
            .filter_map(|file| file.strip_prefix(&directory));
        names.map(str::to_owned).collect()
    }

    /// Asserts that nothing in the cache is damaged.
    #[track_caller]
    fn is_sound(&self) {
        par(&self.environment, ["cache", "verify"]).success();
    }
}
