//! `par fetch`

use std::ffi::OsString;

use anyhow::Result;

use crate::archive::Target;
use crate::cli::arguments::{LockArgs, PullArgs, RegistryArgs, TrustArgs};
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::client::TrustPolicy;

/// Fetch one verified executable into the cache, and print its path
///
/// It can be run from there, and must not be written to. What is in the cache already is not downloaded
/// again. The first fetch from a repository pins it to who published there: see `par trust`.
///
/// Of an archive that was pushed with its claims and its index on the manifest, as `par push` does
/// for one that is compressed, only the bytes of this executable are downloaded; of any other, or when
/// anything is not as it should be, all of it, and everything is verified. --verbose says why.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which provider
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Whose executable. Default: that of this machine
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    /// Take another issuer or another subject than the repository is pinned to, and pin it to those, but
    /// no lower revision. Default: they are refused
    #[arg(long)]
    accept_identity: bool,
    /// Take a lower revision than the tag had before, and remember that one. Default: it is refused
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

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args
        .registry
        .reference(&args.reference, args.lock.is_given())?;
    let target = args.target.unwrap_or_else(Target::host);
    let trust = TrustPolicy {
        accept_identity: args.accept_identity,
        allow_downgrade: args.allow_downgrade,
        ..args.trust.policy().await?
    };
    let policy = args.pull.policy()?;
    let client = args.registry.client(session, trust).await?;
    let client = client.with_pull_policy(policy);
    let client = args.lock.restrict(client).await?;
    let fetched = client.fetch(&reference, &target).await;
    let fetched = fetched.map_err(|error| args.lock.explain(error))?;
    Ok(Answer::new(path_text(&fetched.path))
        .field("file", path_text(&fetched.path))
        .field("digest", fetched.digest.to_string())
        .field("reference", reference.pinned(&fetched.digest))
        .field("target", target.as_str())
        .field("cached", fetched.cached)
        .field("downloaded", fetched.downloaded)
        .field("issuer", fetched.claims.issuer())
        .field("service", fetched.claims.subject()))
}
