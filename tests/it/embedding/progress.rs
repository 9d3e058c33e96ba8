//! Progress of work on several references at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use futures_util::future::join;
use wasmcloud_par::client::{Client, ClientOptions, PushOptions};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::progress::{Meter, Progress, Step, Stopped};

use super::{options, parsed};
use crate::support::{Environment, Registry, block_on};
use crate::transfer::pack_noise;

/// Counts the bytes of each step of each reference.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<(String, String), u64>>>);

struct Count(Counts, (String, String));

impl Progress for Counts {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        panic!("{step:?} of no reference");
    }

    fn begin_for(&self, reference: &str, step: Step, _total: u64) -> Box<dyn Meter> {
        Box::new(Count(
            self.clone(),
            (reference.to_owned(), format!("{step:?}")),
        ))
    }
}

impl Meter for Count {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        let mut counts = (self.0).0.lock().unwrap();
        *counts.entry(self.1.clone()).or_default() += bytes;
        Ok(())
    }
}

#[test]
fn each_step_names_its_reference() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let sizes = [("a", 100_000_usize), ("b", 300_000)];
    let counts = Counts::default();
    let with = options(&environment).progress(Arc::new(counts.clone()));
    let client = Client::new(with).unwrap();
    let references = sizes.map(|(name, _)| registry.reference(&format!("{name}:1")));
    let copied = format!("oci-layout://{}:1", environment.path("layout").display());
    block_on(async {
        for ((name, size), reference) in sizes.iter().zip(&references) {
            let file = pack_noise(&environment, &format!("{name}.par.gz"), *size);
            let none = BTreeMap::new();
            client.push(&file, &parsed(reference), &none).await.unwrap();
        }
        let target = wasmcloud_par::Target::host();
        let [a, b] = [&references[0], &references[1]].map(|reference| parsed(reference));
        let (one, other) = join(client.fetch(&a, &target), client.fetch(&b, &target)).await;
        one.unwrap();
        other.unwrap();
        client.copy(&a, &parsed(&copied)).await.unwrap();
        let destination = environment.path("pulled.par.gz");
        client.pull(&a, Some(&destination), None).await.unwrap();
    });
    let counts = counts.0.lock().unwrap();
    for ((_, size), reference) in sizes.iter().zip(&references) {
        for step in ["Hashing", "Verifying", "Uploading", "Downloading"] {
            let count = counts.get(&(reference.clone(), step.to_owned()));
            assert!(
                count.is_some_and(|bytes| *bytes >= *size as u64),
                "{counts:?}"
            );
        }
    }
    assert!(counts.contains_key(&(copied.clone(), "Copying".to_owned())));
    let named: BTreeSet<_> = counts.keys().map(|(reference, _)| reference).collect();
    assert_eq!(named, references.iter().chain([&copied]).collect());
}

/// Stops each step at its first byte.
struct Stops;

impl Progress for Stops {
    fn begin(&self, _step: Step, _total: u64) -> Box<dyn Meter> {
        Box::new(Self)
    }
}

impl Meter for Stops {
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        Err(Stopped.into())
    }
}

#[test]
fn a_program_can_tell_that_its_progress_stopped_the_work() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = parsed(&registry.reference("a:1"));
    let publisher = Client::new(options(&environment)).unwrap();
    let with = ClientOptions::isolated(environment.path("stopped")).progress(Arc::new(Stops));
    let client = Client::new(with.at_once(NonZeroUsize::MAX)).unwrap();
    block_on(async {
        // With an index, an executable is downloaded by its range.
        for name in ["a.par", "a.par.gz"] {
            let file = pack_noise(&environment, name, 100_000);
            let pushing = PushOptions::default().change_identity(true);
            publisher.push(&file, &reference, pushing).await.unwrap();
            let target = wasmcloud_par::Target::host();
            let errors = [
                client.inspect(&reference).await.unwrap_err(),
                client.fetch(&reference, &target).await.unwrap_err(),
                client
                    .push(&file, &reference, PushOptions::default())
                    .await
                    .unwrap_err(),
            ];
            for error in errors {
                assert!(error.is_stopped(), "{error:?}");
                assert_eq!(error.kind(), ErrorKind::Other, "{error:?}");
            }
        }
    });
    let missing = parsed(&registry.reference("b:1"));
    let refused = block_on(client.inspect(&missing)).unwrap_err();
    assert!(!refused.is_stopped(), "{refused}");
}
