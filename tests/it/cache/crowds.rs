//! Many fetches and pulls at the same time, in one process and in several.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use futures_util::FutureExt;
use wasmcloud_par::archive::Target;
use wasmcloud_par::cache::PruneOptions;
use wasmcloud_par::client::{Client, Fetched};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::Reference;

use super::Provider;
#[cfg(target_os = "linux")]
use crate::support::LockAttempts;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, LIMIT, Registry, block_on, ended};
use crate::transfer::{client, digest, pack_noise, par};

const PROCESSES: usize = 64;
const TASKS: usize = 1000;

type Outcome = Result<Fetched, wasmcloud_par::client::Error>;

fn fetch(
    client: &Client,
    reference: &Arc<Reference>,
) -> impl Future<Output = Outcome> + Send + 'static + use<> {
    let (client, reference) = (client.clone(), Arc::clone(reference));
    async move { client.fetch(&reference, &Target::host()).await }
}

fn spawn(client: &Client, reference: &Arc<Reference>) -> tokio::task::JoinHandle<Outcome> {
    tokio::spawn(fetch(client, reference))
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
    let client = client(provider.directory().parent().unwrap());
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

    // Tasks that shared a fetch got the same result, so they count as one.
    let mut made = usize::from(fetched.iter().any(|fetched| !fetched.cached));
    for process in processes {
        let output = ended(process);
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
fn a_waiting_task_takes_over_when_the_working_one_is_dropped() {
    let provider = Provider::of_noise(1 << 20);
    let stalled = Rule::on("GET", "/blobs/", Fault::StallAnswer(1000));
    let proxy = Proxy::start(&provider.registry, vec![stalled]);
    let client = client(provider.directory().parent().unwrap());
    let reference = Arc::new(proxy.reference("provider:1.0.0").parse().unwrap());
    let path = block_on(async {
        let worker = spawn(&client, &reference);
        while proxy.seen("GET", "/blobs/").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let mut fetching = Box::pin(fetch(&client, &reference));
                // The first poll finds the fetch of `worker`, and waits for it.
                assert!(fetching.as_mut().now_or_never().is_none());
                tokio::spawn(fetching)
            })
            .collect();
        worker.abort();
        let mut paths = Vec::new();
        for waiting in waiting {
            paths.push(waiting.await.unwrap().unwrap().path);
        }
        paths.pop().unwrap()
    });
    assert_eq!(digest(&path), provider.executable);
    // `worker` has resolved the tag, and so has the task that took over. The others have not.
    assert_eq!(proxy.seen("GET", "/manifests/").len(), 2);
    assert_eq!(proxy.seen("HEAD", "").len(), 0);
}

#[test]
fn concurrent_fetches_share_one_refusal() {
    let provider = Provider::new();
    let client = client(provider.directory().parent().unwrap());
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
        // A later fetch asks again, and a single task gets the error itself.
        let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
        assert!(matches!(error, wasmcloud_par::client::Error::Store(_)));
    });
    let asked = provider.requests_since(before).len();
    assert!((2..30).contains(&asked), "{asked}");
}

/// Runs all of `work` at the same time on a runtime with four threads for blocking work. Fails when tasks block each
/// other.
fn with_four_threads<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let done = runtime.block_on(async {
        let tasks: Vec<_> = work.map(tokio::spawn).collect();
        let all = futures_util::future::join_all(tasks);
        tokio::time::timeout(LIMIT, all).await
    });
    // Blocked threads must not block the test.
    runtime.shutdown_background();
    let done = done.expect("the tasks block each other");
    done.into_iter().map(Result::unwrap).collect()
}

#[test]
fn waiting_for_a_download_takes_no_thread() {
    let provider = Provider::of_noise(1 << 20);
    let client = client(provider.directory().parent().unwrap());
    let reference: Arc<Reference> = Arc::new(provider.reference.parse().unwrap());
    let pulls = (0..20).map(|number| {
        let (client, reference) = (client.clone(), Arc::clone(&reference));
        let destination = provider.environment.path(&format!("{number}.par.gz"));
        async move { client.pull(&reference, Some(&destination), None).await }
    });
    for pulled in with_four_threads(pulls) {
        assert_eq!(digest(&pulled.unwrap().path), provider.layer);
    }
    let requests = provider.registry.requests();
    assert_eq!(
        count(
            &requests,
            &format!("GET /v2/provider/blobs/{}", provider.layer)
        ),
        1
    );
    assert_eq!(provider.kept("partial"), [""; 0]);
}

#[test]
fn waiting_for_an_executable_takes_no_thread() {
    // The first provider's executable is downloaded alone, and the second one's with its archive.
    for provider in [Provider::of_noise(1 << 20), Provider::new()] {
        let client = client(provider.directory().parent().unwrap());
        let tags: Vec<String> = (0..20).map(|tag| format!("many-{tag}")).collect();
        for tag in &tags {
            par(&provider.environment, ["tag", &provider.reference, tag]).success();
        }
        let fetches = tags.iter().map(|tag| {
            let reference = provider.registry.reference(&format!("provider:{tag}"));
            let reference = Arc::new(reference.parse().unwrap());
            let client = client.clone();
            async move { client.fetch(&reference, &Target::host()).await }
        });
        for fetched in with_four_threads(fetches) {
            assert_eq!(digest(&fetched.unwrap().path), provider.executable);
        }
        assert_eq!(provider.kept("partial"), [""; 0]);
    }
}

/// Returns how many threads of this process inflate a download now.
fn inflating() -> usize {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let names =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "inflating").count()
}

/// The number of fetches that have to share their threads, and the most threads that they may have.
const FETCHES: usize = 200;
const MOST_THREADS: usize = 30;

/// Pushes a provider to each of `references`, and fetches them all at the same time: for the first time, and again from
/// the cache. The number of threads has to stay within a bound.
fn fetches_with_few_threads(environment: &Environment, reference: impl Fn(&str) -> String) {
    let publisher = client(&environment.path("publisher"));
    let references: Vec<Arc<Reference>> = (0..FETCHES)
        .map(|number| {
            let name = format!("provider-{number}");
            let reference = reference(&name).parse().unwrap();
            let file = pack_noise(environment, &format!("{name}.par.gz"), (80 << 10) + number);
            block_on(publisher.push(&file, &reference, &BTreeMap::new())).unwrap();
            Arc::new(reference)
        })
        .collect();
    // This client has to find the credentials of each repository.
    let client = client(&environment.path("cache"));
    for _ in 0..2 {
        let (most, own) = most_threads(&client, &references);
        assert!(most <= MOST_THREADS, "{most} threads of the runtime");
        assert!(own <= MOST_THREADS, "{own} threads of the client");
    }
}

/// Fetches all `references` at the same time, in a runtime with two workers. Returns the most threads that the runtime
/// and the client had at the same time.
fn most_threads(client: &Client, references: &[Arc<Reference>]) -> (usize, usize) {
    let (threads, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (started, stopped, peak) = (Arc::clone(&threads), threads, Arc::clone(&most));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || {
            let running = started.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(running, Ordering::SeqCst);
        })
        .on_thread_stop(move || {
            stopped.fetch_sub(1, Ordering::SeqCst);
        })
        .build()
        .unwrap();
    let own = runtime.block_on(async {
        let fetches = references.iter().map(|reference| spawn(client, reference));
        let all = tokio::spawn(futures_util::future::join_all(fetches.collect::<Vec<_>>()));
        let mut own = 0;
        while !all.is_finished() {
            own = own.max(inflating());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for fetched in all.await.unwrap() {
            fetched.unwrap().unwrap();
        }
        own
    });
    (most.load(Ordering::SeqCst), own)
}

#[test]
fn two_hundred_fetches_take_a_bounded_number_of_threads() {
    let (environment, registry) = (Environment::new(), Registry::start());
    fetches_with_few_threads(&environment, |name| {
        registry.reference(&format!("{name}:1"))
    });
}

#[test]
fn two_hundred_fetches_from_layouts_take_a_bounded_number_of_threads() {
    let environment = Environment::new();
    fetches_with_few_threads(&environment, |name| {
        format!("oci-layout://{}:1", environment.path(name).display())
    });
}

/// Makes the manifest look changed, and locks the file `lock`, as a process does that is checking the manifest.
#[cfg(target_os = "linux")]
fn being_checked(provider: &Provider, lock: &Path) -> fs::File {
    let manifest = provider.file("blobs", &provider.manifest);
    let touched = fs::File::open(&manifest).unwrap();
    touched.set_modified(std::time::SystemTime::now()).unwrap();
    let lock = fs::File::create(lock).unwrap();
    lock.lock().unwrap();
    lock
}

/// Waits until a fetch has found that the file `lock` is locked.
#[cfg(target_os = "linux")]
async fn until_attempt(lock: &Path) {
    let attempts = LockAttempts::at(lock);
    while !attempts.has_failed() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_waiting_fetch_blocks_no_thread_and_can_be_dropped() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let lock = provider.file("partial", &provider.manifest);
    let lock = lock.with_extension("lock");
    let checking = being_checked(&provider, &lock);
    let (release, released) = channel();
    let holding = std::thread::spawn(move || {
        let in_time = released.recv_timeout(LIMIT);
        drop(checking);
        in_time
    });
    let client = client(provider.directory().parent().unwrap());
    let reference = provider.reference.parse().unwrap();
    let target = Target::host();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::select! {
            () = until_attempt(&lock) => {}
            fetched = client.fetch(&reference, &target) => panic!("not locked: {fetched:?}"),
        }
    });
    // This waits for the work of the fetch on other threads.
    drop(runtime);

    let fetched = block_on(async {
        let fetching = client.fetch(&reference, &target);
        let releasing = async {
            until_attempt(&lock).await;
            release.send(()).unwrap();
        };
        tokio::join!(fetching, releasing).0.unwrap()
    });
    assert_eq!(digest(&fetched.path), provider.executable);
    assert_eq!(
        holding.join().unwrap(),
        Ok(()),
        "the fetch did not wait for the lock"
    );
}

#[test]
fn a_fetch_succeeds_while_the_cache_is_pruned() {
    let everything = PruneOptions::default().with_all(true);
    for provider in [Provider::of_noise(256 << 10), Provider::new()] {
        let client = client(provider.directory().parent().unwrap());
        let reference = provider.reference.parse().unwrap();
        let done = AtomicBool::new(false);
        let pruned = std::thread::scope(|scope| {
            let pruning = scope.spawn(|| {
                let mut pruned = 0;
                while !done.load(Ordering::Relaxed) {
                    pruned += client
                        .cache()
                        .unwrap()
                        .prune(&everything)
                        .unwrap()
                        .removed
                        .len();
                }
                pruned
            });
            let outcomes: Vec<Outcome> = block_on(async {
                let mut outcomes = Vec::new();
                for _ in 0..60 {
                    outcomes.push(client.fetch(&reference, &Target::host()).await);
                }
                outcomes
            });
            done.store(true, Ordering::Relaxed);
            for outcome in outcomes {
                outcome.unwrap();
            }
            pruning.join().unwrap()
        });
        assert!(pruned > 60, "{pruned}");
    }
}
