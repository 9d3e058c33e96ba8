//! `par copy`

use std::ffi::OsString;

use anyhow::Result;

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::TrustPolicy;

/// Copy what a reference stands for to another reference, and print what a deployment is pinned to
///
/// Either may be in a registry or in an OCI image layout. What is copied need not be a provider archive:
/// a manifest goes with its config and layers, an index with everything it lists. All content is checked
/// against its digest; `par verify` checks an archive. What is there already is not sent again, and the
/// tag is set last.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to copy
    #[arg(value_name = "SRC")]
    source: OsString,
    /// Where to copy it to
    #[arg(value_name = "DST")]
    destination: OsString,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let source = args.registry.reference(&args.source, false)?;
    let destination = args.registry.reference(&args.destination, false)?;
    args.registry.share([&source, &destination], session)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let copied = client.copy(&source, &destination).await?;
    let pinned = copied.reference.pinned(&copied.digest);
    let mut answer = Answer::new(pinned.clone())
        .field("url", copied.reference.to_string())
        .field("reference", pinned)
        .field("digest", copied.digest.to_string());
    if let Some(tag) = copied.reference.tag() {
        answer = answer.field("tag", tag);
    }
    Ok(answer)
}
