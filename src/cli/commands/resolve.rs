//! `par resolve`

use std::ffi::OsString;

use anyhow::Result;

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, escape};
use crate::cli::session::Session;
use crate::client::TrustPolicy;

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
