//! A host that embeds the library: it prefetches, watches a tag, and drops futures.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{
    Attachment, Client, CopyOptions, Error, ExportOptions, Lock, MirrorOptions, MirrorSource,
    Retention, TagOptions,
};
use wasmcloud_par::content::{Descriptor, ErrorKind};
use wasmcloud_par::oci::{Place, Reference, RegistryReference};
use wasmcloud_par::signing::{IdentityToken, Predicate, SigstoreSigner};
use wasmcloud_par::trust::SigstoreRoot;

use super::{VENDOR, block_on, client, digest, pack, push, small, text};
use crate::support::sigstore::token;
use crate::support::{Environment, Registry};

/// An executable of this machine that runs until its standard input is closed, and one that ends at once.
const STAYS: &str = "/bin/cat";
const ENDS: &str = "/bin/true";

/// How long to wait for the next line of the host.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn prefetched_executables_are_in_the_cache_and_a_failure_does_not_stop_the_others() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    for name in ["a", "b", "c"] {
        push(
            &environment,
            &registry.reference(&format!("{name}:1")),
            &file,
        );
    }
    let references =
        ["a:1", "missing:1", "b:1", "c:1"].map(|name| registry.reference(name).parse().unwrap());
    let target: Target = "x86_64-linux".parse().unwrap();
    block_on(async {
        let client = client(&environment.path("cache"));
        let at_once = NonZeroUsize::new(2).unwrap();
        let mut fetches = client.prefetch(references.clone(), &target, at_once);
        let mut kinds = BTreeMap::new();
        while let Some((reference, fetched)) = fetches.next().await {
            let kind = fetched.as_ref().err().map(|error| error.kind());
            assert!(fetched.is_err() || fetched.unwrap().path.is_file());
            kinds.insert(reference.to_string(), kind);
        }
        let kinds = references
            .each_ref()
            .map(|reference| kinds[&reference.to_string()]);
        assert_eq!(kinds, [None, Some(ErrorKind::NotFound), None, None]);
        let again = client.fetch(&references[0], &target).await.unwrap();
        assert!(again.cached);
    });
}

#[test]
fn fetch_provider_takes_the_arguments_that_hosts_of_version_1_use() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = pack(&environment, "provider.par.gz", Path::new(ENDS));
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    block_on(async {
        let client = client(&environment.path("cache"));
        let (path, token) = client.fetch_provider(&reference, "host").await.unwrap();
        assert_eq!(digest(&path), digest(Path::new(ENDS)));
        let claims = token.unwrap().claims;
        assert_eq!(claims.metadata.unwrap().vendor, VENDOR);
        let error = client.fetch_provider("NOT A REFERENCE", "host").await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Usage);
    });
}

/// The values that a host passes to the methods of a client.
#[derive(Clone)]
struct Wish {
    client: Client,
    reference: Reference,
    references: Vec<Reference>,
    place: RegistryReference,
    target: Target,
    annotations: BTreeMap<String, String>,
    tags: Vec<String>,
    attachment: Attachment,
    predicate: Predicate,
    signer: SigstoreSigner,
    content: Descriptor,
    image: Reference,
    options: ExportOptions,
}

fn assert_can_be_spawned<T>(_: impl Future<Output = T> + Send + 'static) {}

/// Asserts that each future can be spawned. Returns their source text.
macro_rules! tasks {
    ($wish:ident: $($future:expr;)*) => {{
        $(
            let wish = $wish.clone();
            assert_can_be_spawned(async move {
                let $wish = wish;
                $future.await
            });
        )*
        [$(stringify!($future)),*]
    }};
}

#[test]
fn a_host_can_spawn_all_futures_of_a_client() {
    let folder = tempfile::tempdir().unwrap();
    let reference: Reference = "localhost:1/provider:1".parse().unwrap();
    let Reference::Registry(place) = reference.clone() else {
        unreachable!("it is one");
    };
    let wish = Wish {
        client: client(folder.path()),
        reference,
        references: Vec::new(),
        place,
        target: Target::host(),
        annotations: BTreeMap::new(),
        tags: Vec::new(),
        attachment: Attachment::bytes("{}", "application/json"),
        predicate: Predicate::new("urn:audit", b"{}").unwrap(),
        signer: SigstoreSigner::new(IdentityToken::new(&token(1)).unwrap()),
        content: Descriptor::of("application/json", b"{}"),
        image: "oci-archive://image.tar".parse().unwrap(),
        options: ExportOptions::default(),
    };
    let (file, anywhere) = (Path::new("file"), "localhost:1".parse::<Place>().unwrap());
    let tasks = tasks! { wish:
        wish.client.accept(&wish.reference);
        wish.client.add_tags(&wish.reference, &["2", "3"], TagOptions::default());
        wish.client.attach(&wish.reference, &wish.attachment);
        wish.client.attest(&wish.reference, &wish.predicate, &wish.signer);
        wish.client.check_trust(&wish.reference);
        wish.client.copy(&wish.reference, &wish.reference);
        wish.client.copy_with(&wish.reference, &wish.reference, CopyOptions::default());
        async {
            let deletion = wish.client.deletion(&wish.place).await?;
            wish.client.delete(&deletion).await
        };
        wish.client.delete_tag(&wish.reference);
        wish.client.deletion(&wish.place);
        wish.client.digests(&wish.references);
        wish.client.discover(&wish.reference);
        wish.client.doctor(&anywhere, true);
        wish.client.export(&wish.reference, &wish.image, &wish.options);
        wish.client.export_from(std::io::empty(), "-", &wish.image, &wish.options);
        wish.client.doctor_host(None);
        wish.client.extract(&wish.reference, &wish.target, file, 0o755);
        wish.client.fetch(&wish.reference, &wish.target);
        wish.client.fetch_provider("localhost:1/provider:1", "host");
        wish.client.pin(&wish.reference);
        wish.client.inspect(&wish.reference);
        wish.client.lock(&wish.references);
        wish.client.lock_each(&wish.references);
        async {
            let mirror = "localhost:1/mirror".parse()?;
            let sources = [MirrorSource::new(wish.reference.clone())];
            let mirrored = wish.client.mirror(&sources, &mirror, MirrorOptions::default()).await;
            let hosts = wish.client.mirror_hosts(&sources, &mirror).await;
            hosts.map(|hosts| (mirrored, hosts))
        };
        async {
            let Ok(Reference::Layout(layout)) = "oci-layout://layout".parse() else {
                unreachable!("it is one");
            };
            wish.client.mirrored_in(&layout).await
        };
        async {
            let plan = wish.client.prune_plan(&wish.place, &Retention::default()).await?;
            Ok::<_, Error>(wish.client.prune_tags(&plan).await)
        };
        wish.client.pull(&wish.reference, None, None);
        wish.client.push(file, &wish.reference, &wish.annotations);
        wish.client.push_from(std::io::empty(), "-", &wish.reference, &wish.annotations);
        wish.client.read_attachment(&wish.reference, &wish.content, 1);
        wish.client.repositories(&wish.place.clone().into());
        wish.client.renew_each(&Lock::default(), &wish.references);
        wish.client.resolve(&wish.reference);
        wish.client.save_attachment(&wish.reference, &wish.content, file);
        wish.client.summarize(&wish.reference, true);
        wish.client.tag(&wish.reference, "2");
        wish.client.tag_details(&wish.reference, &wish.tags);
        wish.client.tags(&wish.reference);
        async {
            let discovered = wish.client.discover(&wish.reference).await?;
            wish.client.verify_bundles(discovered, &[SigstoreRoot::Public]).await
        };
    };
    for method in async_methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/client")) {
        let called = format!("client.{method}(");
        assert!(
            tasks.iter().any(|task| task.contains(&called)),
            "`{method}` is not here"
        );
    }
}

/// Returns the names of the public `async` methods in a directory of sources.
fn async_methods(folder: &Path) -> Vec<String> {
    let mut methods = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            methods.extend(async_methods(&path));
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let starts = source.split("pub async fn ").skip(1);
        let names = starts.filter_map(|start| start.split(['(', '<']).next());
        methods.extend(names.map(str::to_owned));
    }
    methods
}

/// A running `examples/host.rs`.
pub(crate) struct Host {
    process: Child,
    lines: Receiver<String>,
}

impl Host {
    fn start(environment: &Environment, reference: &str) -> Self {
        let directory = environment.path("host");
        Self::start_with(environment, &[text(&directory), "0.1", reference], |host| {
            host
        })
    }

    /// Starts a host with these arguments, in an environment that is changed first.
    pub(crate) fn start_with(
        environment: &Environment,
        arguments: &[&str],
        change: impl Fn(Command) -> Command,
    ) -> Self {
        let mut process = change(environment.command_for(&example("host")));
        let mut process = process
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// Waits for a line that begins with `begin` and contains `what`.
    #[track_caller]
    pub(crate) fn expect(&self, begin: &str, what: &str) {
        loop {
            let line = self.lines.recv_timeout(SOON).unwrap();
            if line.starts_with(begin) && line.contains(what) {
                return;
            }
        }
    }

    /// Waits until the host has ended and its standard output is closed.
    #[track_caller]
    fn ended(&mut self) -> ExitStatus {
        let end = loop {
            if let Err(end) = self.lines.recv_timeout(SOON) {
                break end;
            }
        };
        assert_eq!(end, RecvTimeoutError::Disconnected, "still running");
        self.process.wait().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the program of an example, which `cargo test` builds beside the command.
fn example(name: &str) -> PathBuf {
    let command = Path::new(env!("CARGO_BIN_EXE_par"));
    let example = command.with_file_name("examples").join(name);
    let hint = "`cargo test --test it` builds no examples: run `cargo build --examples` first";
    assert!(
        example.is_file(),
        "{} is missing; {hint}",
        example.display()
    );
    example
}

#[test]
fn the_example_of_a_host_follows_its_tag() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let old = pack(&environment, "old.par.gz", Path::new(STAYS));
    let first = push(&environment, &reference, &old);
    let mut host = Host::start(&environment, &reference);
    host.expect("started", &first);

    let new = pack(&environment, "new.par.gz", Path::new(ENDS));
    let second = push(&environment, &reference, &new);
    // The line shows that the first provider has run until now.
    let line = host.lines.recv_timeout(SOON).unwrap();
    assert!(
        line.starts_with("stopped") && line.contains(&first),
        "{line}"
    );
    host.expect("started", &second);
    host.expect("ended", "0");
    host.expect("started", &second);

    let interrupted = Command::new("kill")
        .args(["-INT", &host.process.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    assert!(host.ended().success());
}
