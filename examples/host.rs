//! A small host: it fetches providers, starts them, watches their tags, and starts them anew when a tag moves.
//!
//! ```text
//! cargo run --release --example host -- DIRECTORY SECONDS REFERENCE...
//! ```
//!
//! `DIRECTORY/cache` is the cache, and `DIRECTORY/state` has the pins. `DIRECTORY/credentials/REGISTRY/REPOSITORY` has
//! the user and the password for a repository, as `user:password`. This file is read again when the registry refuses
//! the password.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::error::Error as StdError;
use std::future::pending;
use std::io::{self, ErrorKind::ExecutableFileBusy, ErrorKind::NotFound};
use std::{num::NonZeroUsize, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use tokio::process::{Child, ChildStdin, Command};
use tokio::{task::JoinSet, time::sleep};
use wasmcloud_par::cache::Lease;
use wasmcloud_par::oci::{CredentialProvider, CredentialRequest, Credentials, ProvidedCredentials};
use wasmcloud_par::trust::TrustError;
use wasmcloud_par::{Client, ClientOptions, Error, ErrorKind, Fetched, Reference, Target};

type Failure = Box<dyn StdError + Send + Sync>;
/// A running provider: its executable, its process, its standard input, which stays open while the provider has to run,
/// and the lease that keeps its executable from being pruned.
type Running = (Fetched, Child, Option<ChildStdin>, Option<Lease>);

/// Credentials for each repository, in files.
struct Files(PathBuf);

#[async_trait::async_trait]
impl CredentialProvider for Files {
    async fn credentials(
        &self,
        asked: CredentialRequest<'_>,
    ) -> Result<Option<ProvidedCredentials>, Failure> {
        let file = self.0.join(asked.registry).join(asked.repository);
        let text = match tokio::fs::read_to_string(file).await {
            Err(error) if error.kind() == NotFound => return Ok(None),
            text => text?,
        };
        let (user, password) = text.trim_end().split_once(':').ok_or("no user:password")?;
        Ok(Some(Credentials::basic(user, password).into()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: host DIRECTORY SECONDS REFERENCE...";
    let directory = PathBuf::from(arguments.next().ok_or(usage)?);
    let interval = Duration::try_from_secs_f64(arguments.next().ok_or(usage)?.parse()?)?;
    let references = arguments.map(|text| text.parse());
    let references = references.collect::<Result<Vec<Reference>, _>>()?;

    // One client per process: it holds connections, tokens, the cache and the trust policy.
    let options = ClientOptions::isolated(&directory)
        .credentials(Arc::new(Files(directory.join("credentials"))));
    let client = Client::new(options)?;
    client.cache()?; // If the cache cannot be used, the host fails now, and not at the first fetch.

    let mut providers = JoinSet::new(); // Dropping the set stops the providers.
    let at_once = NonZeroUsize::new(4).ok_or(usage)?;
    let mut fetches = client.prefetch(references, &Target::host(), at_once);
    while let Some((reference, fetched)) = fetches.next().await {
        providers.spawn(follow(client.clone(), reference, fetched, interval));
    }
    Ok(tokio::signal::ctrl_c().await?)
}

/// Runs the provider that the tag names, beginning with `first`, and starts it anew when the tag moves.
async fn follow(
    client: Client,
    reference: Reference,
    first: Result<Fetched, Error>,
    interval: Duration,
) {
    let mut moves = client.watch(&reference, interval);
    let mut running: Option<Running> = None;
    let mut news = Some(first);
    loop {
        match (news.take(), &mut running) {
            (None, _) => {}
            // Another archive may contain the same executable. Then the provider continues.
            (Some(Ok(new)), Some((old, ..))) if old.path == new.path => {}
            (Some(Ok(new)), old) => match start(new, old).await {
                Ok(started) => running = Some(started),
                Err(error) => println!("no start   {reference}: {error}"),
            },
            (Some(Err(error)), _) => {
                report(&reference, &error);
                sleep(interval).await;
                moves = client.watch(&reference, interval); // Its first result is the present manifest.
            }
        }
        let ended = async {
            match &mut running {
                Some((_, child, ..)) => child.wait().await,
                None => pending().await,
            }
        };
        tokio::select! {
            status = ended => {
                println!("ended      {reference} {status:?}");
                sleep(Duration::from_secs(1)).await;
                news = running.take().map(|(fetched, ..)| Ok(fetched));
            }
            Some(moved) = moves.next() => news = Some(match moved {
                Ok(_) => client.fetch(&reference, &Target::host()).await,
                Err(error) => Err(error),
            }),
        }
    }
}

/// Stops the running provider, and starts an executable. An executable that was just fetched can be busy for a moment,
/// when another thread starts a program: the new process has a copy of the file that is open for writing, until it
/// executes that program.
async fn start(new: Fetched, running: &mut Option<Running>) -> io::Result<Running> {
    if let Some((old, mut child, ..)) = running.take() {
        child.kill().await?; // A real host first asks the provider over the lattice to shut down.
        println!("stopped    {}", old.digest);
    }
    for _ in 0..100 {
        // A real host writes the configuration (`HostData`) to the standard input, and keeps that open.
        let mut command = Command::new(&new.path);
        match command.stdin(Stdio::piped()).kill_on_drop(true).spawn() {
            Ok(mut child) => {
                let age = if new.freshness.is_stale() {
                    "last known"
                } else {
                    "current"
                };
                println!("started    {} ({age})", new.digest);
                let (input, lease) = (child.stdin.take(), new.lease().ok());
                return Ok((new, child, input, lease));
            }
            Err(error) if error.kind() == ExecutableFileBusy => {}
            Err(error) => return Err(error),
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(ExecutableFileBusy.into())
}

/// Prints why there is no new executable. The running provider continues.
fn report(reference: &Reference, error: &Error) {
    match (error.root(), error.kind()) {
        (Error::Trust(TrustError::IdentityChanged { changes, .. }), _) => {
            println!("refused    {reference}: another publisher: {changes:?}");
        }
        (_, ErrorKind::NotVerified) => println!("refused    {reference}: {error}"),
        (_, ErrorKind::Unavailable) => println!("no news    {reference}: {error}"),
        (_, kind) => println!("failed     {reference}: {}: {error}", kind.name()),
    }
}
