//! `par fetch`

use std::ffi::OsString;

use anyhow::Result;
use wasmcloud_par::archive::Target;

use super::output::Answer;
use super::pulling::PullArgs;
use super::registry::RegistryArgs;
use super::session::{Session, text};

/// Fetch one verified executable into the cache, and print its path
///
/// It can be run from there, and must not be written to. What is in the cache already is not downloaded
/// again.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which provider
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Whose executable. Default: that of this machine
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    #[command(flatten)]
    pull: PullArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let target = args.target.unwrap_or_else(Target::host);
    let policy = args.pull.policy()?;
    let client = args.registry.client(session, &[]).await?;
    let client = client.with_pull_policy(policy);
    let fetched = client.fetch(&reference, &target).await?;
    Ok(Answer::new(text(&fetched.path))
        .field("file", text(&fetched.path))
        .field("digest", fetched.digest.to_string())
        .field("reference", reference.pinned(&fetched.digest))
        .field("target", target.as_str())
        .field("cached", fetched.cached)
        .field("issuer", fetched.claims.issuer())
        .field("service", fetched.claims.subject()))
}
