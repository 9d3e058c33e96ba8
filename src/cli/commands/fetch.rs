//! `par fetch`

use std::ffi::OsString;

use anyhow::Result;

use crate::archive::{RequestedTarget, Target};
use crate::cli::arguments::{LockArgs, PullArgs, RegistryArgs, TrustArgs};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::{Lock, TrustPolicy};
use crate::content::is_noexec;

use super::fetch_locked::fetch_locked;

/// Fetch one verified executable into the cache, and print its path
///
/// Run the executable from there, and do not write to it. An executable that is in the cache is not
/// downloaded again. The first fetch from a repository pins it to the issuer and the subject of the archive:
/// see `par trust`.
///
/// `par push` writes the claims and the index of a compressed archive to the manifest. From such an archive, only the
/// bytes of this executable are downloaded. Any other archive, and an archive with something unexpected in it, is
/// downloaded and verified completely; --verbose prints the reason.
///
/// With --locked and without REF, all providers in the lock file are fetched. A line for each has the reference, a
/// space and the path. A failure does not stop the others.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par fetch ghcr.io/org/provider:1.0.0
  par fetch ghcr.io/org/provider:1.0.0 --target aarch64-linux --pull missing
  par fetch ghcr.io/org/provider:1.0.0 --locked
  par fetch --locked")]
pub(crate) struct Args {
    /// The provider. Default, with --locked: every provider in the lock file
    #[arg(value_name = "REF", required_unless_present_any = ["locked", "lock_file"])]
    reference: Option<OsString>,
    /// The target of the executable. Default: the target of this machine
    #[arg(long, value_name = "TARGET")]
    target: Option<RequestedTarget>,
    /// Accept an issuer or a subject that differs from the pin of the repository, and pin the new one. A lower revision
    /// is still refused. Default: both are refused
    #[arg(long)]
    accept_identity: bool,
    /// Accept a lower revision than the tag had before, and record the lower revision. Default: it is refused
    #[arg(long)]
    allow_downgrade: bool,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    pull: PullArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let reference = args.reference.as_deref();
    let reference = reference.map(|written| args.registry.reference(written, args.lock.is_given()));
    let reference = reference.transpose()?;
    let lock = args.lock.read().await?;
    let all: Vec<_> = lock.iter().flat_map(Lock::iter).collect();
    let all: Vec<_> = all
        .into_iter()
        .map(|locked| locked.reference.clone())
        .collect();
    if reference.is_none() {
        args.registry.share(&all, session)?;
    }
    let target = args.target.unwrap_or_else(|| (&Target::host()).into());
    let trust = TrustPolicy {
        accept_identity: args.accept_identity,
        allow_downgrade: args.allow_downgrade,
        ..args.trust.policy().await?
    };
    let policy = args.pull.policy()?;
    let client = args.registry.client(session, trust).await?;
    let client = client.with_pull_policy(policy);
    let client = lock.map_or_else(|| client.clone(), |lock| client.with_lock(lock));
    let Some(reference) = reference else {
        if all.is_empty() {
            session.note("the lock file has no entries");
        }
        return fetch_locked(&client, &args.lock, all, &target, session).await;
    };
    let fetched = client.fetch_requested(&reference, &target).await;
    let fetched = fetched.map_err(|error| args.lock.explain(error))?;
    let target = target.among(fetched.claims.executables());
    if !fetched.cached && is_noexec(&fetched.path) {
        // The warning of the library has the reason.
        session.note("hint: name another directory with --cache-dir or PAR_CACHE_DIR");
    }
    Ok(Answer::file(&fetched.path)
        .field("digest", fetched.digest.to_string())
        .field("reference", reference.pinned(&fetched.digest))
        .field("target", target.as_str())
        .field("cached", fetched.cached)
        .field("downloaded", fetched.downloaded)
        .field("issuer", fetched.claims.issuer().as_str())
        .field("service", fetched.claims.subject().as_str()))
}
