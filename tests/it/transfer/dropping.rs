//! Futures that a host drops before they end, and runtimes with few threads.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::{StreamExt, poll};
use tokio::time::timeout;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::content::{Meter, Progress, Step};
use wasmcloud_par::oci::Reference;
use wasmcloud_par::trust::TrustPolicy;

use super::{block_on, client, digest, pack, pack_noise};
use crate::support::{Environment, LIMIT, wait_until};

/// Larger than the 16 MiB steps in which copying reports progress.
const SIZE: u64 = 32 << 20;

/// A progress that stops work after its beginning until the test opens it.
#[derive(Clone, Default)]
struct Gate(Arc<State>);

#[derive(Default)]
struct State {
    open: Mutex<bool>,
    opened: Condvar,
    /// How many steps are running, and how many bytes they have reported together.
    steps: AtomicUsize,
    done: AtomicU64,
}

struct Watch(Gate);

impl Gate {
    fn open(&self) {
        *self.0.open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    fn steps(&self) -> usize {
        self.0.steps.load(Ordering::SeqCst)
    }

    fn done(&self) -> u64 {
        self.0.done.load(Ordering::SeqCst)
    }
}

impl Progress for Gate {
    fn begin(&self, _step: Step, _total: u64) -> Box<dyn Meter> {
        self.0.steps.fetch_add(1, Ordering::SeqCst);
        Box::new(Watch(self.clone()))
    }
}

impl Meter for Watch {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        let gate = &self.0.0;
        gate.done.fetch_add(bytes, Ordering::SeqCst);
        let open = gate.open.lock().unwrap();
        drop(gate.opened.wait_while(open, |open| !*open).unwrap());
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.0.steps.fetch_sub(1, Ordering::SeqCst);
    }
}

fn watched(cache: &Path, gate: &Gate) -> Client {
    let options = ClientOptions::default()
        .cache_directory(cache)
        .trust(TrustPolicy::default())
        .progress(Arc::new(gate.clone()));
    Client::new(options).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.collect()
}

/// An image layout in `environment`.
fn layout(environment: &Environment, tag: &str) -> Reference {
    let folder = environment.path("layout");
    format!("oci-layout://{}:{tag}", folder.display())
        .parse()
        .unwrap()
}

#[test]
fn dropped_operations_end_and_leave_no_files() {
    let environment = Environment::new();
    let executable = environment.path("executable");
    File::create(&executable).unwrap().set_len(SIZE).unwrap();
    let file = pack(&environment, "provider.par", &executable);
    let (cache, work) = (environment.path("cache"), environment.path("out"));
    fs::create_dir(&work).unwrap();
    let reference = layout(&environment, "1");
    let annotations = Default::default();
    block_on(async {
        let client = client(&cache);
        client.push(&file, &reference, &annotations).await.unwrap();
        client.inspect(&reference).await.unwrap();
    });
    for what in ["inspect", "extract", "pull", "push", "push_from"] {
        let gate = Gate::default();
        let client = watched(&cache, &gate);
        let (target, elsewhere) = (Target::host(), layout(&environment, "2"));
        let doing = async {
            let (at, out) = (&reference, work.join("file"));
            match what {
                "inspect" => client.inspect(at).await.map(drop),
                "extract" => client.extract(at, &target, &out, 0o755).await.map(drop),
                "pull" => client.pull(at, Some(&out), None).await.map(drop),
                "push" => client.push(&file, &elsewhere, &annotations).await.map(drop),
                _ => {
                    let input = File::open(&file).unwrap();
                    let pushing = client.push_from(input, "-", &elsewhere, &annotations);
                    pushing.await.map(drop)
                }
            }
        };
        block_on(async {
            let mut doing = Box::pin(doing);
            while gate.done() == 0 {
                let early = timeout(Duration::from_millis(1), doing.as_mut()).await;
                assert!(early.is_err(), "{what}");
            }
            drop(doing);
            gate.open();
            wait_until(what, || gate.steps() == 0);
            assert!(gate.done() < SIZE, "{what}: {}", gate.done());
            wait_until(what, || names(&work).is_empty());
        });
    }
    block_on(async {
        let path = work.join("provider.par");
        let pulled = client(&cache).pull(&reference, Some(&path), None).await;
        assert_eq!(digest(&pulled.unwrap().path), digest(&file));
    });
}

#[test]
fn a_fetch_that_is_dropped_near_its_end_leaves_no_download() {
    let environment = Environment::new();
    // The whole executable fits into the pieces that wait to be inflated.
    let file = pack_noise(&environment, "provider.par.gz", 512 << 10);
    let reference = layout(&environment, "1");
    let annotations = Default::default();
    for attempt in 0.. {
        let folder = environment.path(&format!("cache{attempt}"));
        let (executables, partial) = (
            folder.join("v1/executables/sha256"),
            folder.join("v1/partial/sha256"),
        );
        let client = client(&folder);
        let dropped = block_on(async {
            client.push(&file, &reference, &annotations).await.unwrap();
            let target = Target::host();
            let mut fetching = pin!(client.fetch(&reference, &target));
            while !names(&executables).iter().any(|name| name.len() == 64) {
                if poll!(fetching.as_mut()).is_ready() {
                    return false;
                }
                // Its thread continues, but the future is not polled.
                thread::sleep(Duration::from_millis(5));
            }
            true
        });
        // If the fetch was not dropped in time, the executable was complete before the second fetch.
        if dropped {
            wait_until("a download", || names(&partial).is_empty());
            return;
        }
        assert!(attempt < 100);
    }
}

#[test]
fn one_thread_for_blocking_work_is_enough() {
    let environment = Environment::new();
    let annotations = Default::default();
    let references = ["1", "2", "3", "4"].map(|tag| layout(&environment, tag));
    let sizes = (1_u64..).map(|number| (number << 20) as usize);
    block_on(async {
        let client = client(&environment.path("cache"));
        for (reference, size) in references.iter().zip(sizes) {
            let file = pack_noise(&environment, "provider.par.gz", size);
            client.push(&file, reference, &annotations).await.unwrap();
        }
    });
    let runtimes = [
        ("one", tokio::runtime::Builder::new_current_thread()),
        ("several", tokio::runtime::Builder::new_multi_thread()),
    ];
    for (name, mut runtime) in runtimes {
        let runtime = runtime
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = client(&environment.path(name));
        let (target, at_once) = (Target::host(), NonZeroUsize::new(4).unwrap());
        let fetching = client.prefetch(references.clone(), &target, at_once);
        let fetching = fetching.map(|(_, fetched)| fetched).collect::<Vec<_>>();
        let fetched = runtime.block_on(async { timeout(LIMIT, fetching).await });
        runtime.shutdown_background();
        for fetched in fetched.expect("it comes to an end") {
            let fetched = fetched.unwrap();
            assert!(fetched.downloaded > 0, "{name}");
            // This downloads the range of the executable only.
            assert!(names(&environment.path(name).join("v1/blobs/sha256")).len() == 4);
        }
    }
}
