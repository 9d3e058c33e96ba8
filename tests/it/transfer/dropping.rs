//! Futures that a host drops on their way.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions, TrustPolicy};
use wasmcloud_par::content::{Meter, Progress};
use wasmcloud_par::oci::Reference;

use super::{block_on, client, digest, pack};
use crate::support::Environment;

/// Copying is watched in steps of 16 MiB.
const SIZE: u64 = 32 << 20;

/// How long what was dropped may go on. It takes milliseconds, but machines are busy.
const SOON: Duration = Duration::from_secs(20);

/// Holds up work that has begun, until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<State>);

#[derive(Default)]
struct State {
    open: Mutex<bool>,
    opened: Condvar,
    /// How many steps are under way, and how many bytes all have done.
    steps: AtomicUsize,
    done: AtomicU64,
}

struct Step(Gate);

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
    fn begin(&self, _label: &str, _total: u64) -> Box<dyn Meter> {
        self.0.steps.fetch_add(1, Ordering::SeqCst);
        Box::new(Step(self.clone()))
    }
}

impl Meter for Step {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        let gate = &self.0.0;
        gate.done.fetch_add(bytes, Ordering::SeqCst);
        let open = gate.open.lock().unwrap();
        drop(gate.opened.wait_while(open, |open| !*open).unwrap());
        Ok(())
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.0.0.steps.fetch_sub(1, Ordering::SeqCst);
    }
}

fn watched(cache: &Path, gate: &Gate) -> Client {
    let options = ClientOptions {
        cache_directory: Some(cache.to_owned()),
        trust: Some(TrustPolicy::default()),
        progress: Arc::new(gate.clone()),
        ..ClientOptions::default()
    };
    Client::new(options).unwrap()
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < SOON, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
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
fn what_is_dropped_on_its_way_ends_and_leaves_nothing() {
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
