//! `par resolve`

use std::ffi::OsString;

use crate::client::TrustPolicy;
use anyhow::Result;

use super::escape;
use super::output::Answer;
use super::registry::RegistryArgs;
use super::session::Session;

/// Print what a reference stands for now, by its digest: what a deployment is pinned to
///
/// Nothing is downloaded, and so nothing is verified: `par verify` takes what this prints.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to look up
    #[arg(value_name = "REF")]
    reference: OsString,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let manifest = client.resolve(&reference).await?;
    let pinned = reference.pinned(&manifest.digest);
    Ok(Answer::new(escape::line(&pinned))
        .field("reference", pinned)
        .field("digest", manifest.digest.to_string())
        .field("media_type", manifest.media_type)
        .field("size", manifest.size))
}
