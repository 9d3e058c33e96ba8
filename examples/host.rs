//! A small host: it fetches a provider, starts it, watches its tag, and starts it anew when the tag moves.
//!
//! ```text
//! cargo run --release --example host -- ghcr.io/org/provider:1.0.0 [SECONDS]
//! ```
//!
//! It asks what the tag stands for every so many seconds (10). A registry that cannot be reached, or that
//! offers what is not to be trusted, leaves the provider running that runs. One that ends is started
//! again, as what the tag stands for by then. Ctrl-C ends both.
//!
//! A real host of wasmCloud writes the provider's configuration (`HostData`) to its standard input; this one
//! writes nothing, and keeps it open.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks"
)]

use std::error::Error;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::sleep;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions, Fetched};
use wasmcloud_par::oci::Reference;

/// How long to wait before a provider that has ended is started again.
const PAUSE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: host REFERENCE [SECONDS]";
    let reference: Reference = arguments.next().ok_or(usage)?.parse()?;
    let seconds = arguments.next().map_or(Ok(10.0), |text| text.parse())?;
    let interval = Duration::try_from_secs_f64(seconds)?;

    // Once per process: it holds connections, tokens, the cache and the trust policy.
    let client = Client::new(ClientOptions::default())?;
    // At the start, and not with the first provider: the cache can be used.
    client.cache()?;
    // What is dropped because something else came first leaves nothing wrong, and no provider behind. One
    // listener for the whole run: a signal between two of them would get lost.
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        ended = follow(&client, &reference, interval) => ended,
    }
}

/// Keeps running what the tag stands for; ends with an error only.
async fn follow(
    client: &Client,
    reference: &Reference,
    interval: Duration,
) -> Result<(), Box<dyn Error>> {
    let target = Target::host();
    let fetched = client.fetch(reference, &target).await?;
    let mut provider = Provider::start(fetched)?;
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
            // The same executable may come in another archive: there is nothing to do then.
            Ok(fetched) if running && fetched.path == provider.fetched.path => provider,
            Ok(fetched) => {
                provider.stop().await?;
                Provider::start(fetched)?
            }
            Err(error) => {
                eprintln!("no news    {error}");
                match running {
                    true => provider,
                    false => Provider::start(provider.fetched)?,
                }
            }
        };
    }
}

/// A provider that runs.
struct Provider {
    fetched: Fetched,
    child: Child,
    /// Open as long as the provider is wanted.
    _input: Option<ChildStdin>,
}

impl Provider {
    fn start(fetched: Fetched) -> std::io::Result<Self> {
        let mut child = Command::new(&fetched.path)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let name = fetched.claims.metadata().name.unwrap_or_default();
        let process = child.id().unwrap_or_default();
        println!("started    {name} as process {process}: {}", fetched.digest);
        Ok(Self {
            _input: child.stdin.take(),
            fetched,
            child,
        })
    }

    async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        if self.child.try_wait()?.is_none() {
            // A real host asks it over its lattice to shut down, first.
            self.child.kill().await?;
            println!("stopped    {}", self.fetched.digest);
        }
        Ok(())
    }
}
