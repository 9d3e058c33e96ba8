//! A registry with the referrers API: the program in `tests/fixtures/api-registry`.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::patience::wait_until;
use super::tools::tool;
use super::watcher::Watcher;

/// A running registry. Dropping it kills the process.
pub(crate) struct ApiRegistry {
    process: Child,
    // Fields are dropped in this order: the process ends before its directory is removed.
    _watcher: Watcher,
    address: String,
    _directory: TempDir,
}

impl ApiRegistry {
    /// Starts a registry without content.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let output = File::create(&log).unwrap();
        let process = Command::new(tool("api-registry"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("the registry runs");
        let watcher = Watcher::new(process.id(), directory.path());
        let address = || {
            let log = fs::read_to_string(&log).unwrap();
            let (_, rest) = log.split_once("listening on ")?;
            let (address, _) = rest.split_once('\n')?;
            Some(address.to_owned())
        };
        wait_until("the registry listens", || address().is_some());
        Self {
            process,
            _watcher: watcher,
            address: address().unwrap(),
            _directory: directory,
        }
    }

    /// Returns the registry's address, `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the reference `127.0.0.1:PORT/NAME`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

impl Drop for ApiRegistry {
    fn drop(&mut self) {
        self.process.kill().expect("the registry can be killed");
        self.process.wait().expect("the registry ends");
    }
}
