//! Mirrors that are down, hang, or serve wrong content: the next host is asked.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::content::{Digest, ErrorKind};
use wasmcloud_par::oci::Reference;

use crate::support::Registry;
use crate::support::archives::{ArchiveBuilder, noise};
use crate::support::proxy::{Fault, Proxy, Rule};

const SIZE: usize = 1 << 20;

/// A registry with an archive without an index, behind a proxy that counts, and a directory for other files.
struct Setup {
    directory: TempDir,
    registry: Registry,
    origin: Proxy,
    executable: Vec<u8>,
    layer: Digest,
    manifest: Digest,
}

impl Setup {
    async fn new() -> Self {
        Self::of(SIZE).await
    }

    /// Pushes an archive with an executable of `size` bytes, which do not compress.
    async fn of(size: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::start();
        let executable = noise(size, 4);
        let name = format!("{}.bin", Target::host());
        let archive = ArchiveBuilder::empty().executable(&name, &executable);
        let archive = archive.build_gzip();
        let file = directory.path().join("provider.par.gz");
        fs::write(&file, &archive).unwrap();
        let reference: Reference = registry.reference("provider:1.0.0").parse().unwrap();
        let client = client(&directory.path().join("pushing"), directory.path());
        let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
        Self {
            origin: Proxy::start(&registry, Vec::new()),
            executable,
            layer: Digest::of(&archive),
            manifest: pushed.unwrap().digest,
            registry,
            directory,
        }
    }

    /// Starts another registry with the same content.
    async fn copy(&self) -> Registry {
        let copy = Registry::start();
        let client = client(
            &self.directory.path().join("copying"),
            self.directory.path(),
        );
        let file = self.directory.path().join("provider.par.gz");
        let reference = copy.reference("provider:1.0.0").parse().unwrap();
        let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
        pushed.unwrap();
        copy
    }

    /// Fetches with these mirrors into an empty cache, asserts that the executable is right, and returns the
    /// time that it took.
    async fn fetch(&self, mirrors: &[&str]) -> Duration {
        let (client, reference) = self.client(mirrors);
        let started = Instant::now();
        let fetched = client.fetch(&reference, &Target::host()).await.unwrap();
        let took = started.elapsed();
        assert_eq!(fs::read(fetched.path).unwrap(), self.executable);
        took
    }

    /// Fetches over this many connections from these mirrors of a registry that is gone. Asserts that the executable is
    /// right.
    async fn fetch_from_gone_registry(&self, mirrors: &[&str], connections: usize) {
        let (client, reference) = self.client_of_gone_registry(mirrors, connections);
        let fetched = client.fetch(&reference, &Target::host()).await.unwrap();
        assert!(fs::read(fetched.path).unwrap() == self.executable);
    }

    /// Returns a client of a registry that is gone, with these mirrors and an empty cache, and the reference to fetch.
    fn client_of_gone_registry(&self, mirrors: &[&str], connections: usize) -> (Client, Reference) {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let gone = gone.unwrap().to_string();
        let cache = tempfile::tempdir_in(self.directory.path()).unwrap().keep();
        let mut options = options(&cache, &self.hosts(&gone, mirrors), Duration::ZERO);
        options.registry.connections = NonZeroUsize::new(connections);
        let client = Client::new(options).unwrap();
        (client, format!("{gone}/provider:1.0.0").parse().unwrap())
    }

    /// Returns a client with these mirrors and an empty cache, and the reference to fetch.
    fn client(&self, mirrors: &[&str]) -> (Client, Reference) {
        let hosts = self.hosts(self.origin.address(), mirrors);
        let cache = tempfile::tempdir_in(self.directory.path()).unwrap().keep();
        let reference = self.origin.reference("provider:1.0.0").parse().unwrap();
        (client(&cache, &hosts), reference)
    }

    /// Writes a directory with these mirrors of `registry`. Returns its path.
    fn hosts(&self, registry: &str, mirrors: &[&str]) -> PathBuf {
        let hosts = self.directory.path().join("hosts");
        let entry = hosts.join(registry);
        fs::create_dir_all(&entry).unwrap();
        let tables = mirrors.iter().map(|mirror| {
            format!("[host.\"http://{mirror}\"]\ncapabilities = [\"pull\", \"resolve\"]\n")
        });
        fs::write(entry.join("hosts.toml"), tables.collect::<String>()).unwrap();
        hosts
    }

    /// Returns how many bytes of the archive the origin sent.
    fn sent_by_origin(&self) -> u64 {
        self.origin.traffic(self.layer.hex()).1
    }
}

fn client(cache: &Path, hosts: &Path) -> Client {
    client_with(cache, hosts, Duration::from_secs(20))
}

fn client_with(cache: &Path, hosts: &Path, patience: Duration) -> Client {
    Client::new(options(cache, hosts, patience)).unwrap()
}

fn options(cache: &Path, hosts: &Path, patience: Duration) -> ClientOptions {
    let mut options = ClientOptions::default().cache_directory(cache);
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    options.registry.hosts_directory = Some(hosts.to_owned());
    options.registry.retry.stall_timeout = Duration::from_secs(2);
    options.registry.retry.patience = patience;
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_mirror_costs_one_quick_attempt() {
    let setup = Setup::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap().to_string();
    let away = Rule::on("GET", "/", Fault::status("503 Away")).always();
    let away = Proxy::start(&setup.registry, vec![away]);

    let took = setup.fetch(&[&gone, &silent, away.address()]).await;

    // There is one attempt, although a manifest and a blob are requested.
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.incoming().map_while(Result::ok).count(), 1);
    assert!(took < Duration::from_secs(20), "{took:?}");
    let asked = away.seen("GET", "/").len();
    assert_eq!(asked, 1, "it is left alone for a while");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_whose_answer_the_caller_stopped_awaiting_is_avoided() {
    let setup = Setup::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = silent.local_addr().unwrap().to_string();
    let (client, reference) = setup.client(&[&mirror]);
    let target = Target::host();
    let fetch = client.fetch(&reference, &target);
    // The test waits less than the stall timeout of two seconds.
    let given_up = tokio::time::timeout(Duration::from_millis(1500), fetch).await;
    assert!(given_up.is_err());

    client.fetch(&reference, &target).await.unwrap();

    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.incoming().map_while(Result::ok).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_lacks_one_content_still_serves_the_other() {
    let setup = Setup::new().await;
    let empty = Registry::start();
    let copy = setup.copy().await;
    fs::remove_file(copy.blob(&setup.manifest.to_string())).unwrap();

    setup.fetch(&[empty.address(), copy.address()]).await;

    assert_eq!(
        setup.sent_by_origin(),
        0,
        "the second mirror has the archive"
    );
    assert!(empty.requests().len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_with_a_wrong_digest_is_downloaded_from_the_next_host() {
    let setup = Setup::new().await;
    for (digest, again) in [(&setup.manifest, false), (&setup.layer, true)] {
        let copy = setup.copy().await;
        let path = copy.blob(&digest.to_string());
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let mirror = Proxy::start(&copy, Vec::new());
        setup.fetch(&[mirror.address()]).await;
        let blobs = mirror.seen("GET", setup.layer.hex()).len();
        assert_eq!(blobs, usize::from(again), "{digest}");
    }
    assert!(setup.sent_by_origin() > SIZE as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_too_long_or_too_short_is_downloaded_from_the_next_host() {
    let setup = Setup::new().await;
    let hex = setup.layer.hex();
    for fault in [
        Fault::LongAnswer(10),
        Fault::ShortAnswer(1000),
        Fault::FlipAnswer(1000),
    ] {
        let mirror = Rule::on("GET", hex, fault).always();
        let mirror = Proxy::start(&setup.registry, vec![mirror]);
        setup.fetch(&[mirror.address()]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_download_continues_at_the_next_host() {
    let setup = Setup::new().await;
    let most = SIZE as u64 * 9 / 10;
    for fault in [Fault::StallAnswer(most), Fault::CutAnswer(most)] {
        let before = setup.sent_by_origin();
        let rule = Rule::on("GET", setup.layer.hex(), fault).always();
        let mirror = Proxy::start(&setup.registry, vec![rule]);
        setup.fetch(&[mirror.address()]).await;
        let rest = setup.sent_by_origin() - before;
        let whole = fs::metadata(setup.directory.path().join("provider.par.gz"))
            .unwrap()
            .len();
        assert!((1..=whole * 15 / 100).contains(&rest), "{rest} of {whole}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_avoided_mirror_is_asked_again_when_there_is_no_other_host() {
    let setup = Setup::new().await;
    let away = Rule::on("GET", "/manifests/", Fault::status("503 Away"));
    let mirror = Proxy::start(&setup.registry, vec![away.times(2)]);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap().to_string();
    let hosts = tempfile::tempdir().unwrap();
    fs::create_dir(hosts.path().join(&gone)).unwrap();
    let table = format!("[host.\"http://{}\"]", mirror.address());
    fs::write(hosts.path().join(&gone).join("hosts.toml"), table).unwrap();
    let client = client_with(
        &setup.directory.path().join("cache"),
        hosts.path(),
        Duration::ZERO,
    );
    let reference: Reference = format!("{gone}/provider:1.0.0").parse().unwrap();

    let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    // The mirror is avoided now, and the registry does not answer.
    let fetched = client.fetch(&reference, &Target::host()).await.unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), setup.executable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_continues_at_the_mirror_that_failed_when_the_registry_is_gone() {
    let setup = Setup::new().await;
    let hex = setup.layer.hex();
    let cut = Rule::on("GET", hex, Fault::CutAnswer(SIZE as u64 * 9 / 10));
    let mirror = Proxy::start(&setup.registry, vec![cut]);

    setup.fetch_from_gone_registry(&[mirror.address()], 1).await;

    let sent: Vec<u64> = mirror
        .seen("GET", hex)
        .iter()
        .map(|seen| seen.down)
        .collect();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[1] < SIZE as u64 / 5, "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_not_asked_again_for_content_that_it_sent_damaged() {
    let setup = Setup::new().await;
    let hex = setup.layer.hex();
    let damaged = Rule::on("GET", hex, Fault::FlipAnswer(SIZE as u64 / 2));
    let mirror = Proxy::start(&setup.registry, vec![damaged.always()]);

    let (client, reference) = setup.client_of_gone_registry(&[mirror.address()], 1);
    let error = client.fetch(&reference, &Target::host()).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let whole = mirror.seen("GET", hex).into_iter();
    let whole = whole.filter(|seen| seen.down > SIZE as u64 * 9 / 10);
    assert_eq!(whole.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_avoided_mirror_is_asked_for_a_blob_when_no_other_host_sends_it() {
    let setup = Setup::new().await;
    let away = Rule::on("GET", "/manifests/", Fault::status("503 Away"));
    let avoided = Proxy::start(&setup.registry, vec![away.always()]);
    let hex = setup.layer.hex();
    let lacking = Rule::on("GET", hex, Fault::status("404 Not Found"));
    let lacking = Proxy::start(&setup.registry, vec![lacking.always()]);

    let mirrors = [avoided.address(), lacking.address()];
    setup.fetch_from_gone_registry(&mirrors, 1).await;

    assert_eq!(avoided.seen("GET", hex).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_a_mirror_did_not_send_is_downloaded_from_it_when_the_registry_is_gone() {
    let setup = Setup::of(17 << 20).await;
    let away = Rule::on("GET", setup.layer.hex(), Fault::status("503 Away"));
    let mirror = Proxy::start(&setup.registry, vec![away.after(2)]);

    setup.fetch_from_gone_registry(&[mirror.address()], 4).await;

    assert!(mirror.seen("GET", setup.layer.hex()).len() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_host_has_the_content_the_error_of_the_registry_is_returned() {
    let setup = Setup::new().await;
    let hosts = tempfile::tempdir().unwrap();
    let entry = hosts.path().join(setup.origin.address());
    fs::create_dir(&entry).unwrap();
    fs::write(entry.join("hosts.toml"), "[host.\"http://127.0.0.1:1\"]").unwrap();
    let client = client(&setup.directory.path().join("cache"), hosts.path());
    let reference = setup.origin.reference("provider:2.0.0").parse().unwrap();
    let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains(setup.origin.address()),
        "{error}"
    );
}
