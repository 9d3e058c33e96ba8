//! `par resolve`

use std::ffi::OsString;

use anyhow::Result;

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::TrustPolicy;

use super::pinned::pinned;

/// Print the digest that a reference names now, as a reference for deployments
///
/// This command downloads and verifies nothing: use `par verify` with the printed reference.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par resolve ghcr.io/org/provider:1.0.0
  par verify \"$(par resolve ghcr.io/org/provider:1.0.0)\"")]
pub(crate) struct Args {
    /// The reference to look up
    #[arg(value_name = "REF")]
    reference: OsString,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let manifest = client.resolve(&reference).await?;
    Ok(pinned(&reference, &manifest.digest)
        .field("media_type", manifest.media_type)
        .field("size", manifest.size))
}
