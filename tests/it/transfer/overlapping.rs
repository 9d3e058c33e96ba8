//! A large archive is sent while it is verified: nothing of it counts before it has passed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wasmcloud_par::client::{Client, ClientOptions, Error, Pushed, TrustPolicy};
use wasmcloud_par::content::{ErrorKind, Meter, Progress, Silent, Step};

use super::{block_on, client, digest, pack_noise, peer, push, requests_about, small};
use crate::support::{Environment, Registry};

/// Larger than what is verified before it is sent.
const LARGE: usize = 8 << 20;

/// Lets the step `first` wait for the step `second`: until that has moved when `moved`, else until it
/// is over. Then it does something.
struct Order {
    first: Step,
    second: Step,
    moved: bool,
    tell: Mutex<Option<Sender<()>>>,
    wait: Mutex<Option<Receiver<()>>>,
    then: Box<dyn Fn() + Send + Sync>,
}

impl Order {
    fn new(
        first: Step,
        second: Step,
        moved: bool,
        then: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (tell, wait) = channel();
        Arc::new(Self {
            first,
            second,
            moved,
            tell: Mutex::new(Some(tell)),
            wait: Mutex::new(Some(wait)),
            then: Box::new(then),
        })
    }
}

impl Progress for Order {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        if step == self.first
            && let Some(wait) = self.wait.lock().unwrap().take()
        {
            let _ = wait.recv_timeout(Duration::from_secs(20));
            (self.then)();
        }
        match self.tell.lock().unwrap().take_if(|_| step == self.second) {
            Some(tell) => Box::new(Watch {
                tell,
                moved: self.moved,
            }),
            None => Box::new(Silent),
        }
    }
}

struct Watch {
    tell: Sender<()>,
    moved: bool,
}

impl Meter for Watch {
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        if self.moved {
            let _ = self.tell.send(());
        }
        Ok(())
    }
}

fn push_watched(
    environment: &Environment,
    progress: Arc<dyn Progress>,
    file: &Path,
    reference: &str,
) -> Result<Pushed, Error> {
    let cache = environment.path("cache");
    let mut options = ClientOptions::default()
        .cache_directory(&cache)
        .progress(progress);
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    let client = Client::new(options).unwrap();
    let (file, reference) = (file.to_owned(), reference.parse().unwrap());
    // On a task, as in a host.
    let pushing = async move { client.push(&file, &reference, &BTreeMap::new()).await };
    block_on(async { tokio::spawn(pushing).await.unwrap() })
}

/// Changes a byte of the executable, and keeps the time of the file.
fn damage(file: &Path) {
    let metadata = fs::metadata(file).unwrap();
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // In place: whoever has the file open reads it.
    let mut written = File::options().write(true).open(file).unwrap();
    written.seek(SeekFrom::Start(middle as u64)).unwrap();
    written.write_all(&bytes[middle..=middle]).unwrap();
    written.set_modified(metadata.modified().unwrap()).unwrap();
}

/// What `provider:1.0.0` stands for, asked by another client.
fn tagged(registry: &Registry) -> Option<String> {
    peer::pull(&registry.reference("provider:1.0.0")).digest
}

#[test]
fn a_large_archive_is_sent_while_it_is_verified_and_its_end_and_its_tag_wait() {
    for name in ["provider.par", "provider.par.gz"] {
        let (environment, registry) = (Environment::new(), Arc::new(Registry::start()));
        let file = pack_noise(&environment, name, LARGE);
        let (there, blob) = (Arc::clone(&registry), digest(&file));
        // Verifying waits until bytes move. Without that it would wait for ever, or some seconds.
        let order = Order::new(Step::Verifying, Step::Uploading, true, move || {
            assert_eq!(requests_about(&there, "POST", "/blobs/uploads/"), 1);
            std::thread::sleep(Duration::from_millis(300));
            assert!(!there.blob(&blob).exists(), "it has its end already");
            assert_eq!(requests_about(&there, "PUT", "/manifests/"), 0);
        });
        let reference = registry.reference("provider:1.0.0");
        let pushed = push_watched(&environment, order, &file, &reference).unwrap();
        let pulled = peer::pull(&reference);
        assert_eq!(pulled.digest, Some(pushed.digest.to_string()));
        assert_eq!(pulled.layers[0].data, fs::read(&file).unwrap());
    }
}

#[test]
fn one_that_does_not_pass_is_nowhere_complete_and_the_tag_stays() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let first = push(&environment, &reference, &small(&environment, "old.par"));
    for name in ["new.par", "new.par.gz"] {
        let file = pack_noise(&environment, name, LARGE);
        damage(&file);
        let before = registry.requests().len();
        let order = Order::new(Step::Verifying, Step::Uploading, true, || {});
        let error = push_watched(&environment, order, &file, &reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
        let requests = registry.requests().split_off(before);
        let sent = requests.iter().any(|line| line.starts_with("POST"));
        assert!(sent, "it was not sent while it was verified: {requests:#?}");
        assert!(!registry.blob(&digest(&file)).exists());
        let named = requests.iter().any(|line| line.contains("/manifests/"));
        assert!(!named, "{requests:#?}");
        assert_eq!(tagged(&registry), Some(first.clone()));
    }
}

#[test]
fn of_a_large_file_that_is_no_archive_or_of_nobody_who_is_trusted_nothing_is_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let file = environment.write("secrets", vec![7; LARGE]);
    environment.par(["push", &reference, "secrets"]).exit(5);
    let archive = pack_noise(&environment, "provider.par.gz", LARGE);
    let mut policy = TrustPolicy::default();
    policy.issuers = vec!["somebody else".to_owned()];
    let mut options = ClientOptions::default()
        .cache_directory(environment.path("cache"))
        .trust(policy);
    options.registry.credentials.registry_config = Some(file);
    let strict = Client::new(options).unwrap();
    let reference = reference.parse().unwrap();
    let error = block_on(strict.push(&archive, &reference, &BTreeMap::new())).unwrap_err();
    assert!(matches!(error, Error::Trust(_)), "{error:?}");
    assert_eq!(registry.requests(), [""; 0]);
}

#[test]
fn a_file_that_changes_between_two_readers_is_not_pushed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let first = push(&environment, &reference, &small(&environment, "old.par"));
    // After it was hashed and before it is verified; after it was hashed and before it is sent.
    for (first_step, second) in [
        (Step::Verifying, Step::Hashing),
        (Step::Uploading, Step::Hashing),
    ] {
        let file = pack_noise(&environment, "new.par", LARGE);
        let changing = file.clone();
        let order = Order::new(first_step, second, false, move || damage(&changing));
        let error = push_watched(&environment, order, &file, &reference).unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains("Changed"), "{first_step:?}: {said}");
        assert_eq!(tagged(&registry), Some(first.clone()));
        assert!(!registry.blob(&digest(&file)).exists());
    }
}

#[test]
fn a_large_archive_goes_into_a_layout_only_when_it_has_passed() {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par.gz", LARGE);
    damage(&file);
    let layout = environment.path("layout");
    let reference = format!("oci-layout://{}:1.0.0", layout.display());
    let reference = reference.parse().unwrap();
    let client = client(&environment.path("cache"));
    let error = block_on(client.push(&file, &reference, &BTreeMap::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    assert!(!layout.exists());
}
