//! Transfers over bad networks, through bad proxies and with bad servers. Each ends with the right bytes, or
//! with a clear error and nothing left behind.

mod connections;
mod patience;
mod pushing;
mod reading;
mod redirects;
mod sequences;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::content::Digest;
use wasmcloud_par::oci::{CredentialSource, Reference};

use crate::support::archives::{ArchiveBuilder, noise};
use crate::support::{block_on, shared_registry, unique};

/// An archive of noise for this machine. Like those of other tools it has no index, so it is downloaded in
/// full.
struct Sample {
    executable: Vec<u8>,
    archive: Vec<u8>,
}

impl Sample {
    fn new(size: usize, seed: u64) -> Self {
        let executable = noise(size, seed);
        let name = format!("{}.bin", Target::host());
        let archive = ArchiveBuilder::empty().executable(&name, &executable);
        let archive = archive.build_gzip();
        Self {
            executable,
            archive,
        }
    }

    fn size(&self) -> u64 {
        self.archive.len() as u64
    }

    /// Returns the hexadecimal part of the digest, which is in the URLs of the archive and in no others.
    fn hex(&self) -> String {
        Digest::of(&self.archive).hex().to_owned()
    }
}

/// Returns a client that gives up soon, but not because of a short pause of this machine.
fn client(cache: &Path) -> Client {
    client_with(cache, anonymous(cache), Duration::from_secs(2))
}

/// Returns a client with a short stall timeout that does not give up. On a busy machine, it repeats some requests
/// needlessly.
fn hasty_client(cache: &Path) -> Client {
    let mut options = options(cache, anonymous(cache), Duration::from_millis(300));
    options.registry.retry.patience = Duration::from_secs(60);
    Client::new(options).unwrap()
}

/// Returns a client that does not give up on a working registry.
fn patient_client(cache: &Path) -> Client {
    client_with(cache, anonymous(cache), Duration::from_secs(30))
}

fn anonymous(cache: &Path) -> CredentialSource {
    CredentialSource::default().registry_config(cache.join("no-config.json"))
}

/// A client that downloads over this number of connections.
fn client_over(cache: &Path, credentials: CredentialSource, connections: usize) -> Client {
    let mut options = options(cache, credentials, Duration::from_secs(2));
    options.registry.connections = NonZeroUsize::new(connections);
    Client::new(options).unwrap()
}

fn client_with(cache: &Path, credentials: CredentialSource, stall_timeout: Duration) -> Client {
    Client::new(options(cache, credentials, stall_timeout)).unwrap()
}

fn options(cache: &Path, credentials: CredentialSource, stall_timeout: Duration) -> ClientOptions {
    let mut options = ClientOptions::default().cache_directory(cache);
    options.registry.credentials = credentials;
    let retry = &mut options.registry.retry;
    retry.stall_timeout = stall_timeout;
    retry.patience = stall_timeout * 5 / 2;
    retry.first_delay = Duration::from_millis(5);
    retry.longest_delay = Duration::from_millis(50);
    options
}

/// Pushes an archive without a proxy. Returns `NAME:TAG`.
async fn pushed(sample: &Sample) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("provider.par");
    fs::write(&file, &sample.archive).unwrap();
    let name = format!("{}:1.0.0", unique("faults"));
    let reference = parse(&format!("{}/{name}", shared_registry()));
    let client = client(&directory.path().join("cache"));
    let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
    pushed.unwrap();
    name
}

fn parse(reference: &str) -> Reference {
    reference.parse().unwrap()
}

/// Returns the archive of most tests.
fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| Sample::new(2 << 20, 0))
}
