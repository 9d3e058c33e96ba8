//! How the tables of cases are run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::Client;
use wasmcloud_par::content::ErrorKind;

use super::{Sample, anonymous, client, client_over, parse, patient_client, pushed};
use crate::support::proxy::{Proxy, Rule};
use crate::support::{shared_registry, unique};

/// How many cases run at once.
const AT_ONCE: usize = 8;

/// What happens on the way, and how the transfer is to end.
pub(super) struct Case {
    pub(super) name: String,
    rules: Vec<Rule>,
    expected: Expected,
    connections: usize,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// It succeeds, and at most this part of the archive is transferred again.
    Again(f64),
    /// It fails as this.
    Fails(ErrorKind),
}

impl Case {
    /// It succeeds; of the archive at most this part is transferred again.
    pub(super) fn again(name: impl Into<String>, part: f64, rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            rules,
            expected: Expected::Again(part),
            connections: 1,
        }
    }

    pub(super) fn fails(name: impl Into<String>, kind: ErrorKind, rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            rules,
            expected: Expected::Fails(kind),
            connections: 1,
        }
    }

    /// The client may use so many connections.
    pub(super) fn over(self, connections: usize) -> Self {
        Self {
            connections,
            ..self
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    Push,
    Pull,
    Fetch,
}

/// Runs each case, several at once, and reports all that are not as they should be.
pub(super) async fn run(transfers: &[Transfer], sample: &Sample, cases: Vec<Case>) {
    let name = &match transfers.contains(&Transfer::Push) {
        true => String::new(),
        false => pushed(sample).await,
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
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let client = match case.connections {
        1 => client(&cache),
        more => client_over(&cache, anonymous(&cache), more),
    };
    let proxy = Proxy::to(shared_registry(), case.rules.clone());
    let started = Instant::now();
    let ended = transfer(kind, &client, &proxy, sample, name, folder.path()).await?;
    let took = started.elapsed();
    match (ended.outcome, case.expected) {
        (Ok(()), Expected::Again(part)) => {
            let (up, down) = proxy.traffic(&sample.hex());
            let most = sample.size() as f64 * (1.0 + part);
            let moved = up.max(down);
            match moved as f64 <= most {
                true => Ok(()),
                false => Err(format!("{moved} bytes moved, more than {most:.0}")),
            }
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
    /// Whether there is now, under its final name, what was to be transferred.
    pub(super) left: bool,
}

pub(super) type Transferred = Result<(), wasmcloud_par::client::Error>;

/// Transfers through `proxy`: pushes to a name of its own, reads `name`. An error when there are wrong
/// bytes somewhere, whatever the client says.
pub(super) async fn transfer(
    kind: Transfer,
    client: &Client,
    proxy: &Proxy,
    sample: &Sample,
    name: &str,
    folder: &Path,
) -> Result<Ended, String> {
    match kind {
        Transfer::Push => push(client, proxy, sample, folder).await,
        Transfer::Pull => Ok(Ended {
            outcome: pull(client, &proxy.reference(name), sample, folder).await?,
            left: folder.join("pulled.par").exists(),
        }),
        Transfer::Fetch => {
            let outcome = fetch(client, &proxy.reference(name), sample).await?;
            let executables = fs::read_dir(folder.join("cache/v1/executables/sha256"));
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
    folder: &Path,
) -> Result<Transferred, String> {
    let destination = folder.join("pulled.par");
    let pulled = client
        .pull(&parse(reference), Some(&destination), None)
        .await;
    match pulled {
        Ok(_) if fs::read(&destination).unwrap() != sample.archive => Err("wrong bytes".to_owned()),
        pulled => Ok(pulled.map(drop)),
    }
}

/// Pulls `name` past the proxy, with what there is in the cache by now.
pub(super) async fn pull_straight(
    name: &str,
    sample: &Sample,
    folder: &Path,
) -> Result<Transferred, String> {
    let client = patient_client(&folder.join("cache"));
    let straight = format!("{}/{name}", shared_registry());
    pull(&client, &straight, sample, folder).await
}

async fn fetch(client: &Client, reference: &str, sample: &Sample) -> Result<Transferred, String> {
    match client.fetch(&parse(reference), &Target::host()).await {
        Ok(fetched) if fs::read(&fetched.path).unwrap() != sample.executable => {
            Err("wrong bytes".to_owned())
        }
        fetched => Ok(fetched.map(drop)),
    }
}

/// Pushes, and looks on the straight way whether the archive is there.
async fn push(
    client: &Client,
    proxy: &Proxy,
    sample: &Sample,
    folder: &Path,
) -> Result<Ended, String> {
    let file = folder.join("provider.par");
    fs::write(&file, &sample.archive).unwrap();
    let name = format!("{}:1.0.0", unique("faults"));
    let reference = parse(&proxy.reference(&name));
    let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
    let left = match pull_straight(&name, sample, folder).await? {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(format!("what is there cannot be pulled: {error}")),
    };
    if pushed.is_ok() && !left {
        return Err("nothing was pushed".to_owned());
    }
    Ok(Ended {
        outcome: pushed.map(drop),
        left,
    })
}
