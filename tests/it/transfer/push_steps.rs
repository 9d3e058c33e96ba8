//! The steps of a push: access is checked, the archive is hashed, verified and uploaded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use wasmcloud_par::client::{Client, ClientOptions, Error, Pushed};
use wasmcloud_par::content::{ErrorKind, Meter, Progress, Silent, Step};
use wasmcloud_par::trust::TrustPolicy;

use super::{block_on, client, digest, pack_noise, par, peer, push, requests_about, small, text};
use crate::support::{Environment, Registry, wait_until};

const LARGE: usize = 8 << 20;

/// A progress that records when steps begin and end, and calls a function when the step `at` begins.
struct Steps {
    noted: Arc<Mutex<Vec<String>>>,
    at: Step,
    act: Box<dyn Fn() + Send + Sync>,
}

impl Steps {
    fn new(at: Step, act: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            noted: Arc::default(),
            at,
            act: Box::new(act),
        })
    }
}

impl Progress for Steps {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        self.noted.lock().unwrap().push(format!("{step:?}"));
        if step == self.at {
            (self.act)();
        }
        Box::new(Noted {
            noted: Arc::clone(&self.noted),
            step,
        })
    }
}

struct Noted {
    noted: Arc<Mutex<Vec<String>>>,
    step: Step,
}

impl Meter for Noted {
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut noted = self.noted.lock().unwrap();
        noted.push(format!("{:?} ended", self.step));
    }
}

fn options(environment: &Environment) -> ClientOptions {
    let cache = environment.path("cache");
    let mut options = ClientOptions::default().cache_directory(&cache);
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    options
}

fn push_with(options: ClientOptions, file: &Path, reference: &str) -> Result<Pushed, Error> {
    let client = Client::new(options).unwrap();
    let (file, reference) = (file.to_owned(), reference.parse().unwrap());
    // The push runs on a task, as in a host.
    let pushing = async move { client.push(&file, &reference, &BTreeMap::new()).await };
    block_on(async { tokio::spawn(pushing).await.unwrap() })
}

fn push_watched(
    environment: &Environment,
    progress: Arc<dyn Progress>,
    file: &Path,
    reference: &str,
) -> Result<Pushed, Error> {
    let options = options(environment).progress(progress);
    push_with(options, file, reference)
}

/// Changes a byte of the executable, in place.
fn damage(file: &Path) {
    let bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    let mut written = File::options().write(true).open(file).unwrap();
    written.seek(SeekFrom::Start(middle as u64)).unwrap();
    written.write_all(&[bytes[middle] ^ 1]).unwrap();
}

/// The digest that `provider:1.0.0` names, as another client sees it.
fn tagged(registry: &Registry) -> Option<String> {
    peer::pull(&registry.reference("provider:1.0.0")).digest
}

/// Asserts that the registry was only asked whether it accepts uploads.
#[track_caller]
pub(super) fn assert_only_asked(requests: &[String]) {
    let [opened, cancelled] = requests else {
        panic!("not two requests: {requests:#?}");
    };
    assert!(opened.starts_with("POST ") && opened.ends_with("/blobs/uploads/"));
    assert!(cancelled.starts_with("DELETE ") && cancelled.contains("/blobs/uploads/"));
}

#[test]
fn an_archive_is_hashed_and_verified_before_anything_of_it_is_sent() {
    for name in ["provider.par", "provider.par.gz"] {
        let (environment, registry) = (Environment::new(), Arc::new(Registry::start()));
        let file = pack_noise(&environment, name, LARGE);
        let there = Arc::clone(&registry);
        let steps = Steps::new(Step::Uploading, move || {
            let mut requests = there.requests();
            // The tag is looked up before anything is sent.
            requests.retain(|request| !request.ends_with("/manifests/1.0.0"));
            assert_only_asked(&requests);
        });
        let noted = Arc::clone(&steps.noted);
        let reference = registry.reference("provider:1.0.0");
        let pushed = push_watched(&environment, steps, &file, &reference).unwrap();
        let noted = noted.lock().unwrap();
        let when = |step: &str| noted.iter().rposition(|noted| noted == step).unwrap();
        assert!(when("Hashing ended") < when("Verifying"), "{noted:?}");
        assert!(when("Verifying ended") < when("Uploading"), "{noted:?}");
        let pulled = peer::pull(&reference);
        assert_eq!(pulled.digest, Some(pushed.digest.to_string()));
        assert_eq!(pulled.layers[0].data, fs::read(&file).unwrap());
    }
}

#[test]
fn nothing_of_an_archive_that_does_not_verify_is_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let first = push(&environment, &reference, &small(&environment, "old.par"));
    for name in ["new.par", "new.par.gz"] {
        let file = pack_noise(&environment, name, LARGE);
        damage(&file);
        let before = registry.requests().len();
        let error = push_watched(&environment, Arc::new(Silent), &file, &reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
        assert_only_asked(&registry.requests().split_off(before));
        assert_eq!(tagged(&registry), Some(first.clone()));
    }
}

#[test]
fn nothing_of_a_file_that_is_not_an_archive_or_is_not_trusted_is_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    environment.write("secrets", vec![7; LARGE]);
    environment.par(["push", &reference, "secrets"]).exit(5);
    assert_only_asked(&registry.requests());
    let archive = pack_noise(&environment, "provider.par.gz", LARGE);
    let mut policy = TrustPolicy::default();
    policy.issuers = vec!["somebody else".to_owned()];
    let strict = options(&environment).trust(policy);
    let before = registry.requests().len();
    let error = push_with(strict, &archive, &reference).unwrap_err();
    assert!(matches!(error, Error::Trust(_)), "{error:?}");
    assert_only_asked(&registry.requests().split_off(before));
}

#[test]
fn a_file_that_changes_between_two_steps_is_not_pushed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let first = push(&environment, &reference, &small(&environment, "old.par"));
    for step in [Step::Verifying, Step::Uploading] {
        let file = pack_noise(&environment, "new.par", LARGE);
        let hashed = digest(&file);
        let changing = file.clone();
        let steps = Steps::new(step, move || damage(&changing));
        push_watched(&environment, steps, &file, &reference).unwrap_err();
        assert_eq!(tagged(&registry), Some(first.clone()));
        assert!(!registry.blob(&hashed).exists());
        assert!(!registry.blob(&digest(&file)).exists());
    }
}

#[test]
fn a_file_that_is_replaced_between_two_steps_is_not_pushed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let file = pack_noise(&environment, "new.par", LARGE);
    let other = pack_noise(&environment, "other.par", LARGE);
    let (from, to) = (other.clone(), file.clone());
    let steps = Steps::new(Step::Uploading, move || fs::rename(&from, &to).unwrap());
    let error = push_watched(&environment, steps, &file, &reference).unwrap_err();
    let said = format!("{error:?}");
    assert!(said.contains("the file changed"), "{said}");
    assert_eq!(requests_about(&registry, "PUT", ""), 0);
}

#[test]
fn a_long_verification_does_not_count_as_a_stalled_registry() {
    /// How long the registry may be silent.
    const SILENCE: Duration = Duration::from_millis(500);
    let (environment, registry) = (Environment::new(), Arc::new(Registry::start()));
    let file = pack_noise(&environment, "provider.par.gz", LARGE);
    let there = Arc::clone(&registry);
    let steps = Steps::new(Step::Verifying, move || {
        wait_until("the answers about the first upload", || {
            there.requests().len() >= 2
        });
        // From here on, the registry is silent. That this is not counted shows only when the time is over.
        thread::sleep(SILENCE * 3);
    });
    let noted = Arc::clone(&steps.noted);
    let mut options = options(&environment).progress(steps);
    options.registry.retry.stall_timeout = SILENCE;
    options.registry.retry.patience = SILENCE;
    let reference = registry.reference("provider:1.0.0");
    let pushed = push_with(options, &file, &reference).unwrap();
    assert!(noted.lock().unwrap().contains(&"Verifying".to_owned()));
    assert_eq!(tagged(&registry), Some(pushed.digest.to_string()));
}

#[test]
fn no_image_layout_is_created_for_an_archive_that_does_not_verify() {
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

#[test]
fn a_registry_that_accepts_no_uploads_is_reported_before_the_archive_is_read() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let read_only = Registry::builder()
        .storage(registry.storage())
        .read_only()
        .start();
    let reference = read_only.reference("provider:1.0.0");
    // The file is not an archive, but the refusal comes first.
    let file = environment.write("provider.par", "no archive");
    let outcome = par(&environment, ["push", &reference, text(&file)]).exit(4);
    assert!(outcome.stderr.contains("HTTP 405"), "{outcome}");

    // The command does not wait for a pipe without input.
    let mut command = environment.command();
    command.args(["push", &reference, "-"]);
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pipe = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    drop(pipe);
    assert_eq!(requests_about(&read_only, "PUT", ""), 0);
}
