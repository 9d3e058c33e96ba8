//! Running tables of cases.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::Client;
use wasmcloud_par::content::ErrorKind;

use super::{Sample, anonymous, options, parse, patient_client, pushed};
use crate::support::proxy::{Proxy, Rule};
use crate::support::{shared_registry, unique};

/// How many cases run at once.
const AT_ONCE: usize = 8;

/// The faults that a transfer meets, and its expected end.
pub(super) struct Case {
    pub(super) name: String,
    rules: Vec<Rule>,
    expected: Expected,
    connections: usize,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// The transfer succeeds, and at most this part of the archive is transferred again.
    Again(f64),
    /// The transfer fails with this kind of error.
    Fails(ErrorKind),
}

impl Case {
    /// Makes a case that succeeds, in which at most this part of the archive is transferred again.
    pub(super) fn again(name: impl Into<String>, part: f64, rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            rules,
            expected: Expected::Again(part),
            connections: 1,
        }
    }

    /// Makes a case that fails with this kind of error.
    pub(super) fn fails(name: impl Into<String>, kind: ErrorKind, rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            rules,
            expected: Expected::Fails(kind),
            connections: 1,
        }
    }

    /// Sets the number of connections that the client may use.
    pub(super) fn over(self, connections: usize) -> Self {
        Self {
            connections,
            ..self
        }
    }

    /// Returns the client for this case. It has short timeouts only if the case waits for them: in other cases, a busy
    /// machine could exceed them.
    fn client(&self, cache: &Path) -> Client {
        let gives_up = matches!(self.expected, Expected::Fails(ErrorKind::Unavailable));
        let stalls = self.rules.iter().any(Rule::stalls);
        let stall_timeout = Duration::from_secs(if gives_up || stalls { 2 } else { 30 });
        let mut options = options(cache, anonymous(cache), stall_timeout);
        if !gives_up {
            options.registry.retry.patience = Duration::from_secs(60);
        }
        options.registry.connections = NonZeroUsize::new(self.connections);
        Client::new(options).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    Push,
    Pull,
    Fetch,
}

/// Runs all cases, several at once, and reports all that end in an unexpected way.
pub(super) async fn run(transfers: &[Transfer], sample: &Sample, cases: Vec<Case>) {
    let name = &if transfers.contains(&Transfer::Push) {
        String::new()
    } else {
        pushed(sample).await
    };
    let runs = cases.iter().flat_map(|case| {
        let runs = transfers.iter();
        runs.map(move |transfer| async move {
            let wrong = one(*transfer, sample, name, case).await.err()?;
            Some(format!("{transfer:?}, {}: {wrong}", case.name))
        })
    });
    let runs: Vec<_> = runs.collect();
    let wrong = stream::iter(runs).buffer_unordered(AT_ONCE);
    let wrong: Vec<String> = wrong.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn one(kind: Transfer, sample: &Sample, name: &str, case: &Case) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let client = case.client(&cache);
    let proxy = Proxy::to(shared_registry(), case.rules.clone());
    let started = Instant::now();
    let ended = transfer(kind, &client, &proxy, sample, name, directory.path()).await?;
    let took = started.elapsed();
    match (ended.outcome, case.expected) {
        (Ok(()), Expected::Again(part)) => {
            let (up, down) = proxy.traffic(&sample.hex());
            let most = sample.size() as f64 * (1.0 + part);
            let moved = up.max(down);
            if moved as f64 > most {
                return Err(format!("{moved} bytes moved, more than {most:.0}"));
            }
            Ok(())
        }
        (Err(_), Expected::Fails(_)) if ended.left => Err("something is left".to_owned()),
        (Err(error), Expected::Fails(kind)) if error.kind() == kind => Ok(()),
        (Err(error), expected) => {
            let error = anyhow::Error::new(error);
            Err(format!(
                "{error:#}, after {took:?}, instead of {expected:?}"
            ))
        }
        (Ok(()), expected) => Err(format!("it succeeds instead of {expected:?}")),
    }
}

/// How a transfer ended.
pub(super) struct Ended {
    pub(super) outcome: Transferred,
    /// Whether the archive or the executable exists now under its final name.
    pub(super) left: bool,
}

pub(super) type Transferred = Result<(), wasmcloud_par::client::Error>;

/// Transfers through `proxy`. A push goes to a unique name; the others read `name`. Returns an error when there
/// are wrong bytes at the destination, whatever the client reports.
pub(super) async fn transfer(
    kind: Transfer,
    client: &Client,
    proxy: &Proxy,
    sample: &Sample,
    name: &str,
    directory: &Path,
) -> Result<Ended, String> {
    match kind {
        Transfer::Push => push(client, proxy, sample, directory).await,
        Transfer::Pull => Ok(Ended {
            outcome: pull(client, &proxy.reference(name), sample, directory).await?,
            left: directory.join("pulled.par").exists(),
        }),
        Transfer::Fetch => {
            let outcome = fetch(client, &proxy.reference(name), sample).await?;
            let executables = fs::read_dir(directory.join("cache/v1/executables/sha256"));
            Ok(Ended {
                outcome,
                left: executables.is_ok_and(|mut files| files.next().is_some()),
            })
        }
    }
}

pub(super) async fn pull(
    client: &Client,
    reference: &str,
    sample: &Sample,
    directory: &Path,
) -> Result<Transferred, String> {
    let destination = directory.join("pulled.par");
    let pulled = client
        .pull(&parse(reference), Some(&destination), None)
        .await;
    match pulled {
        Ok(_) if fs::read(&destination).unwrap() != sample.archive => Err("wrong bytes".to_owned()),
        pulled => Ok(pulled.map(drop)),
    }
}

/// Pulls `name` without the proxy, with the cache that the test has left.
pub(super) async fn pull_straight(
    name: &str,
    sample: &Sample,
    directory: &Path,
) -> Result<Transferred, String> {
    let client = patient_client(&directory.join("cache"));
    let straight = format!("{}/{name}", shared_registry());
    pull(&client, &straight, sample, directory).await
}

async fn fetch(client: &Client, reference: &str, sample: &Sample) -> Result<Transferred, String> {
    match client.fetch(&parse(reference), &Target::host()).await {
        Ok(fetched) if fs::read(&fetched.path).unwrap() != sample.executable => {
            Err("wrong bytes".to_owned())
        }
        fetched => Ok(fetched.map(drop)),
    }
}

/// Pushes through `proxy`, and checks without it whether the archive has arrived.
async fn push(
    client: &Client,
    proxy: &Proxy,
    sample: &Sample,
    directory: &Path,
) -> Result<Ended, String> {
    let file = directory.join("provider.par");
    fs::write(&file, &sample.archive).unwrap();
    let name = format!("{}:1.0.0", unique("faults"));
    let reference = parse(&proxy.reference(&name));
    let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
    let left = match pull_straight(&name, sample, directory).await? {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(format!("the pushed archive cannot be pulled: {error}")),
    };
    if pushed.is_ok() && !left {
        return Err("nothing was pushed".to_owned());
    }
    Ok(Ended {
        outcome: pushed.map(drop),
        left,
    })
}
