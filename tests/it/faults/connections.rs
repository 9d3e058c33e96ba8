//! Downloads of large archives over several connections.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use wasmcloud_par::client::Client;
use wasmcloud_par::content::internals::Fetch;
use wasmcloud_par::content::{Descriptor, ErrorKind};
use wasmcloud_par::oci::internals::Registries;
use wasmcloud_par::oci::{CredentialSource, Reference, RegistryOptions};

use super::table::{Case, Transfer, pull, run};
use super::{Sample, anonymous, block_on, client_over, options, parse, pushed};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, Registry, shared_registry, wait_until};

/// The size of an archive that is just large enough for several connections, in bytes.
const SIZE: usize = 17 << 20;
const CONNECTIONS: usize = 4;
/// The number of pieces in which such an archive is downloaded.
const PIECES: usize = 16;
/// A little less than the size of a piece, in bytes.
const PIECE: u64 = 1 << 20;

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| Sample::new(SIZE, 5))
}

/// Makes one request for the archive meet a fault, after `number` requests that pass.
fn piece(number: usize, fault: Fault) -> Rule {
    Rule::on("GET", &sample().hex(), fault).after(number)
}

/// Makes all requests for the archive meet a fault.
fn every(fault: Fault) -> Rule {
    piece(0, fault).always()
}

/// Pulls through `proxy`, and asserts that the right bytes arrive.
async fn assert_pulls(client: &Client, proxy: &Proxy, name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let pulled = pull(client, &proxy.reference(name), sample(), directory.path()).await;
    pulled.unwrap().unwrap();
}

/// Opens the archive of `name` through `proxy`.
async fn open(proxy: &Proxy, name: &str, connections: usize) -> Box<dyn AsyncRead + Send + Unpin> {
    let mut options = RegistryOptions::default();
    options.connections = NonZeroUsize::new(connections);
    let Reference::Registry(reference) = parse(&proxy.reference(name)) else {
        panic!("{name} is in a registry")
    };
    let repository = Registries::new(options).unwrap().repository(&reference);
    let archive = Descriptor::of("application/octet-stream", &sample().archive);
    repository.open(&archive, None).await.unwrap()
}

#[test]
fn four_connections_download_at_the_same_time() {
    block_on(async {
        let name = pushed(sample()).await;
        // The answer to the first request shows that the registry serves ranges. After it, no request gets an
        // answer before three of them wait for one. The client requests the six pieces after the first one whatever
        // their order is. A later piece may wait for an earlier one, so three of them might never wait together.
        let together = Fault::Together(Arc::new(Barrier::new(CONNECTIONS - 1)));
        let six = piece(1, together).times(2 * (CONNECTIONS - 1));
        let proxy = Proxy::to(shared_registry(), vec![six]);
        let mut bytes = Vec::new();
        let mut reader = open(&proxy, &name, CONNECTIONS).await;
        reader.read_to_end(&mut bytes).await.unwrap();
        assert!(bytes == sample().archive);
    });
}

#[test]
fn each_piece_is_requested_once_and_nothing_else_is() {
    block_on(async {
        let name = pushed(sample()).await;
        for (connections, requests) in [(1, 1), (CONNECTIONS, PIECES)] {
            let directory = tempfile::tempdir().unwrap();
            let client = client_over(directory.path(), anonymous(directory.path()), connections);
            let proxy = Proxy::to(shared_registry(), Vec::new());
            assert_pulls(&client, &proxy, &name).await;
            let hex = sample().hex();
            assert_eq!(proxy.seen("GET", &hex).len(), requests);
            assert_eq!(proxy.seen("HEAD", &hex).len(), 0);
            assert_eq!(proxy.traffic(&hex).1, sample().size());
        }
    });
}

#[test]
fn an_interrupted_piece_continues_where_it_was() {
    let mut cases = Vec::new();
    for number in [0, PIECES - 1] {
        for fault in [
            Fault::CutAnswer(PIECE / 2),
            Fault::CutAnswer(0),
            Fault::EndAnswer(1_000_000),
            Fault::StallAnswer(100_000),
            Fault::status("503 Away"),
            Fault::answer("429 Too Many Requests", "retry-after", 1),
        ] {
            let name = format!("{fault:?} in {number}");
            cases.push(Case::again(name, 0.15, vec![piece(number, fault)]));
        }
    }
    let all = every(Fault::CutAnswer(PIECE / 3)).times(2 * PIECES);
    cases.push(Case::again("each is cut", 0.15, vec![all]));
    let away = piece(1, Fault::status("503 Away")).always();
    cases.push(Case::fails("gone", ErrorKind::Unavailable, vec![away]));
    let missing = piece(3, Fault::status("404 Not Found")).always();
    cases.push(Case::fails("missing", ErrorKind::NotFound, vec![missing]));
    let cases = cases.into_iter().map(|case| case.over(CONNECTIONS));
    block_on(run(&[Transfer::Pull], sample(), cases.collect()));
}

#[test]
fn one_connection_downloads_all_from_a_server_without_ranges() {
    let ignored = || Fault::Edit(|request| request.remove("range"), |_| {});
    let shifted = || Fault::edit(|answer| answer.set("content-range", "bytes 0-1/2"));
    let changed = || Fault::Edit(|request| request.set("if-range", "\"another\""), |_| {});
    // If the first answer already shows this, nothing is sent twice.
    let mut cases = vec![Case::again("200", 0.0, vec![every(ignored())])];
    for (name, fault) in [
        ("200", ignored()),
        ("416", Fault::status("416 No")),
        ("wrong Content-Range", shifted()),
        ("another name for the content", changed()),
    ] {
        // Useless answers of 200 are not read to their end, but parts of them are sent.
        let most = 3.0;
        for number in [0, 4] {
            let once = piece(number, fault.clone());
            cases.push(Case::again(format!("{name} to {number}"), most, vec![once]));
        }
        if name != "416" {
            let later = piece(2, fault).always();
            cases.push(Case::again(format!("{name} from 2"), most, vec![later]));
        }
    }
    let cases = cases.into_iter().map(|case| case.over(CONNECTIONS));
    block_on(run(&[Transfer::Pull], sample(), cases.collect()));
}

#[test]
fn wrong_bytes_in_a_piece_are_received_again_and_never_handed_out() {
    let mut cases = Vec::new();
    for fault in [Fault::FlipAnswer(100), Fault::OtherRange] {
        let name = format!("{fault:?}");
        let once = piece(2, fault.clone());
        cases.push(Case::again(&name, 1.0, vec![once]));
        let always = every(fault);
        cases.push(Case::fails(name, ErrorKind::NotVerified, vec![always]));
    }
    let short = every(Fault::ShortAnswer(1_000_000));
    cases.push(Case::fails("short", ErrorKind::NotVerified, vec![short]));
    let cases = cases.into_iter().map(|case| case.over(CONNECTIONS));
    block_on(run(&[Transfer::Pull], sample(), cases.collect()));
}

#[test]
fn the_next_client_continues_behind_the_pieces_that_were_handed_out() {
    block_on(async {
        let name = pushed(sample()).await;
        let directory = tempfile::tempdir().unwrap();
        let hex = sample().hex();
        let over = |connections| {
            let cache = directory.path().join("cache");
            client_over(&cache, anonymous(&cache), connections)
        };
        let missing = piece(4, Fault::status("404 Not Found")).always();
        let proxy = Proxy::to(shared_registry(), vec![missing]);
        let first = pull(
            &over(2),
            &proxy.reference(&name),
            sample(),
            directory.path(),
        )
        .await;
        assert_eq!(first.unwrap().unwrap_err().kind(), ErrorKind::NotFound);
        let partial = directory.path().join("cache/v1/partial/sha256").join(&hex);
        let left = fs::metadata(partial).unwrap().len();
        assert!(left > 0 && left < sample().size(), "{left}");

        let proxy = Proxy::to(shared_registry(), Vec::new());
        assert_pulls(&over(CONNECTIONS), &proxy, &name).await;
        // A write may reach the file after the error.
        assert!(proxy.traffic(&hex).1 <= sample().size() - left);
    });
}

#[test]
fn dropping_a_reader_ends_its_downloads() {
    block_on(async {
        let name = pushed(sample()).await;
        // The first piece arrives. Each further request stalls, and ends when the client disconnects.
        let stalled = piece(1, Fault::StallAnswer(1000)).always();
        let proxy = Proxy::to(shared_registry(), vec![stalled]);
        let requests = || proxy.seen("GET", &sample().hex());
        let mut reader = open(&proxy, &name, CONNECTIONS).await;
        reader.read_exact(&mut [0; 1000]).await.unwrap();
        wait_until("a stalled request on each connection", || {
            requests().len() > CONNECTIONS
        });
        drop(reader);
        wait_until("the end of the requests", || {
            requests().iter().all(|request| request.ended)
        });
        // A reader that continued would repeat the requests, and receive everything.
        assert!(proxy.traffic(&sample().hex()).1 < sample().size());
    });
}

#[test]
fn storage_gets_no_credentials_and_an_expired_address_is_requested_again() {
    block_on(async {
        let registry = Registry::builder().htpasswd("jane", "password").start();
        let directory = tempfile::tempdir().unwrap();
        let credentials = CredentialSource::default()
            .explicit("jane", "password")
            .registry_config(directory.path().join("no-config.json"));
        let client = client_over(directory.path(), credentials, CONNECTIONS);
        let file = directory.path().join("provider.par");
        fs::write(&file, &sample().archive).unwrap();
        let reference = parse(&registry.reference("provider:1.0.0"));
        let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
        pushed.unwrap();

        // Storage with signed addresses serves the content without a password.
        let storage = Registry::builder().storage(registry.storage()).start();
        let expired = Fault::status("403 Forbidden");
        let storage = Proxy::start(
            &storage,
            vec![
                piece(1, Fault::CutAnswer(PIECE / 2)),
                piece(3, expired).times(2),
            ],
        );
        let hex = sample().hex();
        let place = format!(
            "http://{}/v2/provider/blobs/sha256:{hex}?signature=secret",
            storage.address()
        );
        let redirect = Fault::answer("307 Temporary Redirect", "location", place);
        let proxy = Proxy::start(&registry, vec![every(redirect)]);
        assert_pulls(&client, &proxy, "provider:1.0.0").await;

        let seen = storage.seen("GET", &hex);
        assert_eq!(seen.len(), PIECES + 3);
        assert!(seen.iter().all(|seen| !seen.authorized));
        assert!(storage.traffic(&hex).1 <= sample().size() * 115 / 100);
    });
}

/// A client for which the registry at `proxy` has a mirror.
fn mirrored(directory: &Path, proxy: &Proxy, mirror: &Proxy) -> Client {
    let hosts = directory.join("hosts");
    let entry = hosts.join(proxy.address());
    fs::create_dir_all(&entry).unwrap();
    let text = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\"]\n",
        mirror.address()
    );
    fs::write(entry.join("hosts.toml"), text).unwrap();
    let cache = directory.join("cache");
    let mut options = options(&cache, anonymous(&cache), Duration::from_secs(2));
    options.registry.connections = NonZeroUsize::new(CONNECTIONS);
    options.registry.hosts_directory = Some(hosts);
    Client::new(options).unwrap()
}

#[test]
fn a_mirror_that_fails_in_the_middle_gets_no_further_requests() {
    block_on(async {
        let name = pushed(sample()).await;
        let hex = sample().hex();
        let size = sample().size();
        for (fault, from_origin) in [
            (Fault::CutAnswer(PIECE / 2), PIECE..size),
            (Fault::status("503 Away"), PIECE..size),
            // Only the digest of all bytes shows this damage.
            (Fault::FlipAnswer(100), size..size + 1),
        ] {
            let text = format!("{fault:?}");
            let directory = tempfile::tempdir().unwrap();
            let origin = Proxy::to(shared_registry(), Vec::new());
            let mirror = Proxy::to(shared_registry(), vec![piece(2, fault).always()]);
            let client = mirrored(directory.path(), &origin, &mirror);
            assert_pulls(&client, &origin, &name).await;
            let given = origin.traffic(&hex).1;
            assert!(from_origin.contains(&given), "{text}: {given}");
        }
    });
}

#[test]
fn the_number_of_connections_is_an_option_of_the_command() {
    let name = block_on(pushed(sample()));
    for (arguments, variable, requests) in [
        (&["--connections", "4"][..], "", PIECES),
        (&["--connections", "1"], "4", 1),
        (&[], "4", PIECES),
        (&[], "", 1),
    ] {
        let proxy = Proxy::to(shared_registry(), Vec::new());
        let environment = Environment::new();
        let mut command = environment.command();
        if !variable.is_empty() {
            command.env("PAR_CONNECTIONS", variable);
        }
        command
            .args(["pull", &proxy.reference(&name)])
            .args(arguments);
        Outcome::of(command, b"").success();
        let seen = proxy.seen("GET", &sample().hex()).len();
        assert_eq!(seen, requests, "{arguments:?} {variable}");
    }
    let environment = Environment::new();
    for wrong in ["0", "9", "many"] {
        environment
            .par(["pull", "ghcr.io/x/y:1", "--connections", wrong])
            .exit(2);
    }
}
