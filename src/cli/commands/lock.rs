//! `par lock`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::arguments::{LOCK_FILE, RegistryArgs, TrustArgs, deployment, destination};
use crate::cli::output::{Answer, Failure, Problem, path_text, value_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{Client, Error, Lock, Locked};
use crate::content::{Digest, ErrorKind};
use crate::oci::Reference;

/// The largest number of references in a lock file.
const LIMIT: usize = 1000;

/// Lock the providers of a deployment: write digests, issuers and subjects to a lock file
///
/// All archives are verified first, also against the trust policy. The command prints what changes in the lock
/// file, and writes it only if something changes and all references were found. `par fetch --locked` then
/// accepts nothing else.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par lock wadm.yaml
  par lock references.txt --destination deployment.lock --check")]
pub(crate) struct Args {
    /// The deployment: a list of references, one per line, with `#` before comments; or a wadm manifest
    /// (YAML), whose providers are locked. `-` is standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The lock file. Default: `par.lock` in the current directory
    #[arg(
        long,
        env = "PAR_LOCK",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        value_parser = destination()
    )]
    destination: Option<PathBuf>,
    /// Write nothing, and fail if a tag names another digest than the lock file, or if the lock file is for
    /// other references. Default: the lock file is updated
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let references = references(&mut args, session).await?;
    let trust = args.trust.policy().await?;
    let client = args.registry.client(session, trust).await?;
    let path = args.destination.unwrap_or_else(|| LOCK_FILE.into());
    if args.check {
        check(&client, &references, path).await
    } else {
        update(&client, &references, path).await
    }
}

/// Returns the references to lock, sorted and without duplicates.
async fn references(args: &mut Args, session: &Session) -> Result<Vec<Reference>> {
    let mut references = BTreeMap::new();
    for file in &args.files {
        for reference in deployment::read(file.clone(), &args.registry).await? {
            references.insert(reference.to_string(), reference);
        }
    }
    let references: Vec<Reference> = references.into_values().collect();
    if references.is_empty() {
        session.warn("the deployment has no provider to lock");
    }
    if references.len() > LIMIT {
        bail!(Failure::usage(format!(
            "cannot lock {} references in one file; the limit is {LIMIT}",
            references.len()
        )));
    }
    args.registry.share(&references, session)?;
    Ok(references)
}

async fn update(client: &Client, references: &[Reference], path: PathBuf) -> Result<Answer> {
    let old = existing(path.clone()).await?;
    let lock = client.lock(references).await?;
    let known = old.clone().unwrap_or_default();
    let mut changes = Vec::new();
    for locked in lock.iter() {
        changes.extend(digest_change(&known, &locked.reference, &locked.digest));
        changes.extend(claims_changes(&known, locked));
    }
    changes.extend(removals(&known, references));
    let answer = answer(&changes, &path);
    // A file that is up to date is not touched, so that its time does not change.
    if old.as_ref() != Some(&lock) {
        blocking(move || Ok(lock.write(&path).map_err(Error::from)?)).await?;
    }
    Ok(answer)
}

async fn check(client: &Client, references: &[Reference], path: PathBuf) -> Result<Answer> {
    let name = path.clone();
    let lock = blocking(move || Ok(Lock::read(&name).map_err(Error::from)?)).await?;
    let digests = client.digests(references).await?;
    let mut changes: Vec<Change> = references
        .iter()
        .zip(&digests)
        .filter_map(|(reference, digest)| digest_change(&lock, reference, digest))
        .collect();
    changes.extend(removals(&lock, references));
    let problem = (!changes.is_empty()).then(|| {
        let message = format!("the lock file {} is not up to date", path_text(&path));
        let hint = "check what has changed, and run `par lock` if the change is intended";
        Problem::found(ErrorKind::NotVerified, message, Some(hint.to_owned()))
    });
    Ok(answer(&changes, &path).failing(problem))
}

/// Reads the lock file. Returns `None` if it does not exist.
async fn existing(path: PathBuf) -> Result<Option<Lock>> {
    blocking(move || match Lock::read(&path) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => bail!(Error::from(error)),
    })
    .await
}

/// A difference between a reference and its entry in the lock file.
#[derive(Serialize)]
struct Change {
    reference: String,
    field: &'static str,
    /// The locked value, or `null` if the reference is not locked.
    from: Value,
    to: Value,
}

/// The field that every entry has: its changes show which references are added and removed.
const DIGEST: &str = "digest";

impl Change {
    /// Returns the change from one value to another, or `None` if they are equal.
    fn between(reference: &Reference, field: &'static str, from: Value, to: Value) -> Option<Self> {
        (from != to).then(|| Self {
            reference: reference.to_string(),
            field,
            from,
            to,
        })
    }

    fn text(&self) -> String {
        let (reference, field) = (&self.reference, self.field);
        let (from, to) = (value_text(&self.from), value_text(&self.to));
        match field {
            DIGEST if self.from.is_null() => format!("{reference}: added, {to}"),
            DIGEST if self.to.is_null() => format!("{reference}: removed"),
            _ => format!("{reference}: {field} {from} -> {to}"),
        }
    }
}

fn digest_change(known: &Lock, reference: &Reference, digest: &Digest) -> Option<Change> {
    let from = exactly(known, reference).map(|locked| locked.digest.to_string());
    Change::between(reference, DIGEST, from.into(), digest.to_string().into())
}

/// Returns the changes in the claims of an archive that was locked before.
fn claims_changes(known: &Lock, locked: &Locked) -> Vec<Change> {
    let Some(before) = exactly(known, &locked.reference) else {
        return Vec::new();
    };
    let pairs = [
        ("issuer", json!(before.issuer), json!(locked.issuer)),
        ("subject", json!(before.subject), json!(locked.subject)),
        ("version", json!(before.version), json!(locked.version)),
        ("revision", json!(before.revision), json!(locked.revision)),
    ];
    let change = |(field, from, to)| Change::between(&locked.reference, field, from, to);
    pairs.into_iter().filter_map(change).collect()
}

fn removals(known: &Lock, references: &[Reference]) -> Vec<Change> {
    let removal = |Locked {
                       reference, digest, ..
                   }: &Locked| {
        Change::between(reference, DIGEST, digest.to_string().into(), Value::Null)
    };
    let gone = known
        .iter()
        .filter(|locked| !references.contains(&locked.reference));
    gone.filter_map(removal).collect()
}

/// Returns the entry of the reference as it is written.
fn exactly<'a>(lock: &'a Lock, reference: &Reference) -> Option<&'a Locked> {
    lock.find(reference)
        .filter(|locked| locked.reference == *reference)
}

fn answer(changes: &[Change], path: &Path) -> Answer {
    Answer::lines(changes.iter().map(Change::text))
        .field("file", path_text(path))
        .field("changes", json!(changes))
}
