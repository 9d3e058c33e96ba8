//! A small host: it fetches a provider, starts it, watches its tag, and starts it anew when the tag moves.
//!
//! ```text
//! cargo run --release --example host -- ghcr.io/org/provider:1.0.0 [SECONDS]
//! ```
//!
//! The host asks every `SECONDS` seconds (default: 10) what the tag stands for. When the registry cannot be
//! reached, or offers an archive that is not trusted, the running provider continues. A provider that ends
//! is started again, from what the tag stands for by then. Ctrl-C ends the host and the provider.
//!
//! A real wasmCloud host writes the provider's configuration (`HostData`) to its standard input. This host
//! writes nothing, and keeps the input open.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks"
)]

use std::error::Error;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::sleep;
use wasmcloud_par::cache::Lease;
use wasmcloud_par::{Client, ClientOptions, Fetched, Reference, Target};

/// How long to wait before a provider that has ended is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often an executable that is busy is tried, and how long to wait in between.
const BUSY_ATTEMPTS: u32 = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: host REFERENCE [SECONDS]";
    let reference: Reference = arguments.next().ok_or(usage)?.parse()?;
    let seconds = arguments.next().map_or(Ok(10.0), |text| text.parse())?;
    let interval = Duration::try_from_secs_f64(seconds)?;

    // Once per process: it holds connections, tokens, the cache and the trust policy.
    let client = Client::new(ClientOptions::default())?;
    // Fails at the start, and not with the first provider, when the cache cannot be used.
    client.cache()?;
    // Dropping the future of `follow` stops the provider. There is one listener for the whole run, because a
    // signal between two listeners would get lost.
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        ended = follow(&client, &reference, interval) => ended,
    }
}

/// Keeps what the tag stands for running. Ends only with an error.
async fn follow(
    client: &Client,
    reference: &Reference,
    interval: Duration,
) -> Result<(), Box<dyn Error>> {
    let target = Target::host();
    let fetched = client.fetch(reference, &target).await?;
    let mut provider = Provider::start(fetched).await?;
    let mut pause = interval;
    loop {
        let running = provider.child.try_wait()?.is_none();
        let news = async {
            sleep(pause).await;
            client.fetch(reference, &target).await
        };
        let fetched = tokio::select! {
            status = provider.child.wait(), if running => {
                println!("ended      {}", status?);
                pause = PAUSE;
                continue;
            }
            fetched = news => fetched,
        };
        pause = interval;
        provider = match fetched {
            // Another archive may contain the same executable. The provider continues then.
            Ok(fetched) if running && fetched.path == provider.fetched.path => provider,
            Ok(fetched) => {
                provider.stop().await?;
                Provider::start(fetched).await?
            }
            Err(error) => {
                eprintln!("no news    {error}");
                if running {
                    provider
                } else {
                    Provider::start(provider.fetched).await?
                }
            }
        };
    }
}

/// A provider that runs.
struct Provider {
    fetched: Fetched,
    /// Keeps the executable in the cache, to be started again. `None` when it was pruned meanwhile.
    _lease: Option<Lease>,
    child: Child,
    /// Open as long as the provider is wanted.
    _input: Option<ChildStdin>,
}

impl Provider {
    async fn start(fetched: Fetched) -> std::io::Result<Self> {
        let mut child = spawn(&fetched).await?;
        let name = fetched.claims.metadata().name.unwrap_or_default();
        let process = child.id().unwrap_or_default();
        println!("started    {name} as process {process}: {}", fetched.digest);
        Ok(Self {
            _input: child.stdin.take(),
            _lease: fetched.lease().ok(),
            fetched,
            child,
        })
    }

    async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        if self.child.try_wait()?.is_none() {
            // A real host first asks the provider over the lattice to shut down.
            self.child.kill().await?;
            println!("stopped    {}", self.fetched.digest);
        }
        Ok(())
    }
}

/// Starts an executable. It is busy for a moment when it was just fetched and another thread is starting a program
/// at the same time: the child of that thread has the file open for writing until it is that program.
async fn spawn(fetched: &Fetched) -> std::io::Result<Child> {
    let mut attempts = 1;
    loop {
        let spawned = Command::new(&fetched.path)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        match spawned {
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy && attempts < BUSY_ATTEMPTS =>
            {
                attempts += 1;
                sleep(BUSY_PAUSE).await;
            }
            spawned => return spawned,
        }
    }
}
