//! `par lock`

mod changes;
mod files;
mod turn;
mod wanted;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::cli::arguments::{
    LOCK_FILE, RegistryArgs, TrustArgs, destination, is_one_place, refuse_inputs,
};
use crate::cli::failures::Failures;
use crate::cli::output::{Answer, Failure, Problem, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{Client, Error, Lock, LockError};
use crate::content::ErrorKind;

use changes::{Change, claims_changes, digest_change, removals};
use files::write_both;
use turn::take_turn;
use wanted::Wanted;

/// How many tags are resolved at a time.
const AT_ONCE: usize = 4;

/// Lock the providers of a deployment: write digests, issuers and subjects to a lock file
///
/// All archives are verified first, also against the trust policy and the pins. The command prints what changes in the
/// lock file. `par fetch --locked` then accepts only what is in the lock file.
///
/// Nothing is written unless every reference can be locked; every failure is reported. The exit code is 5 if an archive
/// is refused, else the exit code of the first failure. An archive is refused if its issuer, subject or Sigstore
/// identity differs from the entry for that reference in the lock file, or else from the entries for other tags of its
/// repository. It is also refused if its revision is lower than in the entry for that reference.
///
/// Files of this machine (file://) in a wadm manifest are left out with a warning.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par lock wadm.yaml
  par lock wadm.yaml --write pinned.yaml
  par lock --update ghcr.io/org/provider:1.0.0
  par lock references.txt --destination deployment.lock --check")]
pub(crate) struct Args {
    /// The deployment: a list of references, one per line, with `#` before comments; or a wadm manifest
    /// (YAML), whose providers are locked. `-` is standard input
    #[arg(
        required_unless_present = "update",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
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
    /// Renew only the entries of these references, which the lock file must have. Default: all entries are renewed
    #[arg(
        long,
        value_name = "REF",
        num_args = 1..,
        conflicts_with_all = ["files", "check", "write"]
    )]
    update: Vec<OsString>,
    /// Also write the deployment to this file, and add the digest to each reference of a provider. Comments and
    /// formatting are kept. The file may be the deployment itself
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        value_parser = destination(),
        conflicts_with = "check"
    )]
    write: Option<PathBuf>,
    /// Accept another issuer, subject or Sigstore identity than the lock file has. The pins of this machine still
    /// apply. Default: a change is refused
    #[arg(long)]
    accept_identity: bool,
    /// Accept a lower revision than the lock file has. The pins of this machine still apply. Default: it is refused
    #[arg(long)]
    allow_downgrade: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let path = args.destination.clone();
    let path = path.unwrap_or_else(|| LOCK_FILE.into());
    let mut failures = Failures::default();
    let wanted = if args.update.is_empty() {
        if args.write.is_some() && args.files.len() > 1 {
            let message = "several files are given, and --write writes one";
            bail!(Failure::usage(message).hint("lock each file with its own lock file"));
        }
        let wanted = Wanted::in_files(&args.files, &args.registry, session, &mut failures).await?;
        if failures.is_empty() {
            refuse_other_uses(&args, path.clone()).await?;
        }
        existing(path.clone()).await?; // If the lock file is malformed, the command fails before it sends requests.
        wanted
    } else {
        let lock = written(path.clone()).await?;
        Wanted::in_lock(&args.update, &args.registry, &lock, &path, &mut failures)?
    };
    args.registry.share(&wanted.references, session)?;
    let trust = args.trust.policy().await?;
    let client = args.registry.client(session, trust).await?;
    let run = Run {
        args: &args,
        session,
        client,
        path,
        wanted,
    };
    if args.check {
        run.check(failures).await
    } else {
        run.update(failures).await
    }
}

/// One run of the command.
struct Run<'a> {
    args: &'a Args,
    session: &'a Session,
    client: Client,
    path: PathBuf,
    wanted: Wanted,
}

impl Run<'_> {
    async fn update(self, mut failures: Failures) -> Result<Answer> {
        let references = &self.wanted.references;
        let renews_all = self.args.update.is_empty();
        let before = existing(self.path.clone()).await?.unwrap_or_default();
        let locked = self.client.renew_each(&before, references).await;
        // Another process may have changed the lock file meanwhile. It is read again, so that its changes are kept.
        let path = self.path.clone();
        let _turn = blocking(move || Ok(take_turn(&path))).await?;
        let old = if renews_all {
            existing(self.path.clone()).await?
        } else {
            Some(written(self.path.clone()).await?)
        };
        let known = old.clone().unwrap_or_default();
        let mut lock = if renews_all {
            Lock::default()
        } else {
            known.clone()
        };
        let mut changes = Vec::new();
        for (reference, locked) in references.iter().zip(locked) {
            let locked = match locked {
                Ok(locked) => locked,
                Err(error) => {
                    failures.add(reference.to_string(), &error.into());
                    continue;
                }
            };
            let objections = known.objections(&locked);
            for objection in objections.into_iter().filter(|error| !self.accepts(error)) {
                failures.add(reference.to_string(), &Error::from(objection).into());
            }
            changes.extend(digest_change(&known, &locked.reference, &locked.digest));
            changes.extend(claims_changes(&known, &locked));
            lock = lock.with(locked);
        }
        if !failures.is_empty() {
            return Ok(self.failed(Vec::new(), failures));
        }
        if renews_all {
            changes.extend(removals(&known, references));
        }
        let deployment = self.deployment_with_digests(&lock)?;
        let written = deployment.as_ref().map(|(path, _)| path_text(path));
        // A file that is up to date is not touched, so that its time does not change.
        let is_changed = old.as_ref() != Some(&lock);
        let lock = is_changed.then(|| (self.path.clone(), lock));
        blocking(move || write_both(lock, deployment)).await?;
        if let Some(path) = &written {
            self.session.note(&format!("wrote {path}"));
        }
        let answer = self.answer(&changes).field("written", written);
        Ok(answer.field("failures", json!([])))
    }

    /// Whether an option of the user accepts this objection.
    fn accepts(&self, objection: &LockError) -> bool {
        match objection {
            LockError::PublisherChanged { .. } | LockError::IdentityLost { .. } => {
                self.args.accept_identity
            }
            LockError::Downgrade { .. } => self.args.allow_downgrade,
            _ => false,
        }
    }

    /// Returns the path of --write, and the text of the deployment with digests. Returns `None` without --write.
    fn deployment_with_digests(&self, lock: &Lock) -> Result<Option<(PathBuf, String)>> {
        let (Some(path), Some(deployment)) = (&self.args.write, self.wanted.deployments.first())
        else {
            return Ok(None);
        };
        let text = deployment.with_digests(|written| {
            let reference = written.parse().ok()?;
            let reference = self.args.registry.settle(reference, false).ok()?;
            lock.find(&reference).map(|locked| locked.digest.clone())
        })?;
        Ok(Some((path.clone(), text)))
    }

    async fn check(self, mut failures: Failures) -> Result<Answer> {
        let lock = written(self.path.clone()).await?;
        let references = &self.wanted.references;
        let resolved = references
            .iter()
            .map(|reference| self.client.resolve(reference));
        let resolved = stream::iter(resolved.collect::<Vec<_>>()).buffered(AT_ONCE);
        let resolved: Vec<_> = resolved.collect().await;
        let mut changes = Vec::new();
        for (reference, resolved) in references.iter().zip(resolved) {
            match resolved {
                Ok(found) => changes.extend(digest_change(&lock, reference, &found.digest)),
                Err(error) => failures.add(reference.to_string(), &error.into()),
            }
        }
        if !failures.is_empty() {
            return Ok(self.failed(changes, failures));
        }
        changes.extend(removals(&lock, references));
        let problem = (!changes.is_empty()).then(|| {
            let path = path_text(&self.path);
            let message = format!("the lock file {path} is not up to date");
            let hint = "check what has changed, and run `par lock` if the change is intended";
            Problem::found(ErrorKind::NotVerified, message, Some(hint.to_owned()))
        });
        let answer = self.answer(&changes).field("failures", json!([]));
        Ok(answer.failing(problem))
    }

    /// Returns the answer when something cannot be locked.
    fn failed(&self, changes: Vec<Change>, failures: Failures) -> Answer {
        let path = path_text(&self.path);
        let summary = if self.args.check {
            format!("cannot compare everything with the lock file {path}")
        } else {
            format!("not everything can be locked, and {path} stays as it was")
        };
        failures.end(self.answer(&changes), self.session, &summary)
    }

    fn answer(&self, changes: &[Change]) -> Answer {
        Answer::lines(changes.iter().map(Change::text))
            .field("file", path_text(&self.path))
            .field("changes", json!(changes))
            .field("written", Value::Null)
    }
}

/// Refuses a lock file which is also the deployment, or which `--write` would replace by the deployment.
async fn refuse_other_uses(args: &Args, path: PathBuf) -> Result<()> {
    let (files, write) = (args.files.clone(), args.write.clone());
    let inputs = [args.trust.inputs(), args.registry.inputs()].concat();
    blocking(move || {
        let name = path_text(&path);
        refuse_inputs(&path, inputs.clone())?;
        if let Some(write) = &write {
            refuse_inputs(write, inputs)?;
        }
        if write.is_some_and(|write| is_one_place(&write, &path)) {
            let message = format!("--write names {name}, which is the lock file");
            bail!(Failure::usage(message).hint("name another file with --write"));
        }
        if files.iter().any(|file| is_one_place(file, &path)) {
            let message = format!("{name} cannot be both the deployment and the lock file");
            bail!(Failure::usage(message).hint("name another lock file with --destination"));
        }
        Ok(())
    })
    .await
}

/// Reads the lock file. Fails if it does not exist.
async fn written(path: PathBuf) -> Result<Lock> {
    blocking(move || Ok(Lock::read(&path).map_err(Error::from)?)).await
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
