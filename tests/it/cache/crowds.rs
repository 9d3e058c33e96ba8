//! Many at once, in one process and in many.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, Fetched};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::Reference;

use super::Provider;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::transfer::{block_on, client, digest};

const PROCESSES: usize = 64;
const TASKS: usize = 1000;

type Outcome = Result<Fetched, wasmcloud_par::client::Error>;

fn spawn(client: &Client, reference: &Arc<Reference>) -> tokio::task::JoinHandle<Outcome> {
    let (client, reference) = (client.clone(), Arc::clone(reference));
    tokio::spawn(async move { client.fetch(&reference, &Target::host()).await })
}

fn count(requests: &[String], what: &str) -> usize {
    let matching = requests.iter().filter(|request| request.contains(what));
    matching.count()
}

#[test]
fn processes_and_tasks_share_one_download_and_one_extraction() {
    let provider = Provider::of_noise(1 << 20);
    let before = provider.registry.requests().len();
    let processes: Vec<_> = std::iter::repeat_with(|| {
        let mut command = provider.environment.command();
        command.args(["fetch", &provider.reference, "-o", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    })
    .take(PROCESSES)
    .collect();
    let client = client(provider.folder().parent().unwrap());
    let reference = Arc::new(provider.reference.parse().unwrap());
    let fetched: Vec<Fetched> = block_on(async {
        let tasks: Vec<_> = std::iter::repeat_with(|| spawn(&client, &reference))
            .take(TASKS)
            .collect();
        let mut fetched = Vec::new();
        for task in tasks {
            fetched.push(task.await.unwrap().unwrap());
        }
        fetched
    });

    // Who waited for the same flight got the same answer: they count as one.
    let mut made = usize::from(fetched.iter().any(|fetched| !fetched.cached));
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(Path::new(answer["file"].as_str().unwrap()), fetched[0].path);
        made += usize::from(answer["cached"] == false);
    }
    assert_eq!(made, 1);
    assert!(fetched.iter().all(|other| other.path == fetched[0].path));
    assert_eq!(digest(&fetched[0].path), provider.executable);
    let requests = provider.requests_since(before);
    assert_eq!(count(&requests, "/blobs/"), 1);
    let questions = count(&requests, "/manifests/");
    assert!(questions <= PROCESSES + TASKS / 10, "{questions}");
    assert_eq!(provider.kept("partial"), [""; 0]);
    provider.is_sound();
}

#[test]
fn who_waits_goes_on_when_who_works_is_dropped() {
    let provider = Provider::of_noise(1 << 20);
    let stalled = Rule::on("GET", "/blobs/", Fault::StallAnswer(1000));
    let proxy = Proxy::start(&provider.registry, vec![stalled]);
    let client = client(provider.folder().parent().unwrap());
    let reference = Arc::new(proxy.reference("provider:1.0.0").parse().unwrap());
    let path = block_on(async {
        let worker = spawn(&client, &reference);
        while proxy.seen("GET", "/blobs/").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let waiting: Vec<_> = (0..10).map(|_| spawn(&client, &reference)).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(proxy.seen("GET", "/manifests/").len(), 1);
        worker.abort();
        let mut paths = Vec::new();
        for waiting in waiting {
            paths.push(waiting.await.unwrap().unwrap().path);
        }
        paths.pop().unwrap()
    });
    assert_eq!(digest(&path), provider.executable);
    assert_eq!(proxy.seen("GET", "/manifests/").len(), 1);
    assert_eq!(proxy.seen("HEAD", "").len(), 1);
}

#[test]
fn one_refusal_is_for_all_who_asked_at_the_same_time() {
    let provider = Provider::new();
    let client = client(provider.folder().parent().unwrap());
    let missing = provider.registry.reference("provider:9.9.9");
    let reference = Arc::new(missing.parse().unwrap());
    let before = provider.registry.requests().len();
    block_on(async {
        let tasks: Vec<_> = (0..100).map(|_| spawn(&client, &reference)).collect();
        for task in tasks {
            let error = task.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().contains("9.9.9"), "{error}");
        }
        // Who comes later asks again, and who is alone gets the error as it is.
        let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
        assert!(matches!(error, wasmcloud_par::client::Error::Store(_)));
    });
    let asked = provider.requests_since(before).len();
    assert!((2..30).contains(&asked), "{asked}");
}
