//! Only one process waits for a registry that does not answer.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Provider;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};
use crate::transfer::{digest, pack, push};

/// A server that accepts connections and never answers, until it is told to pass them on.
struct Silent {
    address: String,
    accepted: Arc<AtomicUsize>,
    registry: Arc<std::sync::Mutex<Option<String>>>,
}

impl Silent {
    fn start(registry: &Registry) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = Self {
            address: listener.local_addr().unwrap().to_string(),
            accepted: Arc::default(),
            registry: Arc::new(Some(registry.address().to_owned()).into()),
        };
        let (accepted, registry) = (Arc::clone(&silent.accepted), Arc::clone(&silent.registry));
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                match registry.lock().unwrap().clone() {
                    Some(registry) => {
                        thread::spawn(move || pass(&stream, &registry));
                    }
                    // Dropping the connection would close it, which the client would notice.
                    None => open.push(stream),
                }
            }
        });
        silent
    }

    /// Passes connections on to this registry. `None`: answers none.
    fn pass_to(&self, registry: Option<&Registry>) {
        *self.registry.lock().unwrap() = registry.map(|registry| registry.address().to_owned());
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

fn pass(client: &std::net::TcpStream, registry: &str) {
    let server = std::net::TcpStream::connect(registry).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            drop(std::io::copy(&mut &*client, &mut &server));
            drop(server.shutdown(std::net::Shutdown::Write));
        });
        drop(std::io::copy(&mut &server, &mut &*client));
        drop(client.shutdown(std::net::Shutdown::Write));
    });
}

/// A provider that was fetched from a registry which is silent from now on.
fn silenced() -> (Provider, Silent) {
    let mut provider = Provider::new();
    let silent = Silent::start(&provider.registry);
    provider.reference = format!("{}/provider:1.0.0", silent.address);
    provider.fetches_the_executable();
    silent.pass_to(None);
    (provider, silent)
}

#[track_caller]
fn is_stale(provider: &Provider) {
    let outcome = provider.fetch(&[]).success();
    assert!(outcome.stderr.contains("unconfirmed since"), "{outcome}");
    assert_eq!(digest(Path::new(outcome.line())), provider.executable);
}

/// Sets the time at which the registry did not answer to now. The record counts for 20 seconds, and a busy machine may
/// take longer than that for several commands.
fn not_answering_since_now(provider: &Provider) {
    let name = &provider.kept("away")[0];
    let file = provider.directory().join("away").join(name);
    let mut record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    record["since"] = now.as_secs().into();
    fs::write(&file, record.to_string()).unwrap();
}

#[test]
fn only_the_first_of_five_processes_waits_for_a_silent_registry() {
    let (provider, silent) = silenced();
    is_stale(&provider);
    let waited = silent.accepted();
    for _ in 0..4 {
        not_answering_since_now(&provider);
        is_stale(&provider);
    }
    assert_eq!(silent.accepted(), waited);
    assert_eq!(provider.kept("away").len(), 1);

    // A process with the policy `always` asks the registry, which is back. After that, all processes know it.
    silent.pass_to(Some(&provider.registry));
    let elsewhere = Environment::new();
    let file = pack(&elsewhere, "other.par.gz", Path::new(super::TRUE));
    push(
        &elsewhere,
        &provider.registry.reference("provider:1.0.0"),
        &file,
    );
    not_answering_since_now(&provider);
    is_stale(&provider);
    let asked = provider.fetch(&["--pull", "always"]).success();
    let moved = digest(Path::new(super::TRUE));
    assert_eq!(digest(Path::new(asked.line())), moved);
    assert_eq!(provider.kept("away"), [""; 0]);
    let before = silent.accepted();
    let outcome = provider.fetch(&[]).success();
    assert!(!outcome.stderr.contains("unconfirmed"), "{outcome}");
    assert!(silent.accepted() > before);
}

#[test]
fn a_silent_registry_is_asked_again_after_a_while_also_when_the_file_in_the_cache_is_wrong() {
    let (provider, silent) = silenced();
    is_stale(&provider);
    let name = &provider.kept("away")[0];
    let file = provider.directory().join("away").join(name);
    let since = |text: &str| {
        let record: serde_json::Value = serde_json::from_str(text).unwrap();
        record["since"].as_u64().unwrap()
    };
    let now = since(&fs::read_to_string(&file).unwrap());
    for text in [
        format!("{{\"since\":{},\"reason\":\"\"}}", now - 60),
        format!("{{\"since\":{},\"reason\":\"\"}}", now + 3600),
        "\0\0".to_owned(),
    ] {
        fs::write(&file, &text).unwrap();
        let before = silent.accepted();
        is_stale(&provider);
        assert!(silent.accepted() > before, "{text}");
        let before = silent.accepted();
        is_stale(&provider);
        assert_eq!(silent.accepted(), before, "{text}");
    }
    let always = provider.fetch(&["--pull", "always", "--patience", "1"]);
    always.exit(6);
}

#[test]
fn a_registry_that_answers_is_not_recorded_as_unavailable() {
    for (status, code) in [
        ("401 Unauthorized", 4),
        ("403 Forbidden", 4),
        ("503 Service Unavailable", 0),
    ] {
        let mut provider = Provider::new();
        // After this answer the client does not ask again.
        let fault = Fault::answer(status, "retry-after", 3600);
        let rule = Rule::on("HEAD", "/manifests/1.0.0", fault).always();
        let proxy = Proxy::start(&provider.registry, vec![rule]);
        provider.reference = proxy.reference("provider:1.0.0");
        provider.fetches_the_executable();
        provider.fetch(&["--patience", "60"]).exit(code);
        assert_eq!(provider.kept("away"), [""; 0], "{status}");
    }
    let provider = Provider::new();
    provider.fetches_the_executable();
    provider.delete_tag();
    provider.fetch(&[]).exit(3);
    assert_eq!(provider.kept("away"), [""; 0]);
}
