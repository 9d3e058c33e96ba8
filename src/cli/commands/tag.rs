//! `par tag`

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::client::TrustPolicy;
use crate::oci::Reference;

use super::pinned::pinned;

/// Add a tag to a manifest, and print the manifest's reference by digest
///
/// Nothing is copied: the tag is set in the same repository.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  par tag ghcr.io/org/provider:1.0.0 1.0")]
pub(crate) struct Args {
    /// The manifest to tag
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The tag to add, such as `1.0`; an existing tag is moved
    #[arg(value_name = "TAG")]
    tag: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    // The tag is checked before any request.
    require_tag(&reference, &args.tag)?;
    args.registry.settle_tag(&args.tag)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let manifest = client.tag(&reference, &args.tag).await?;
    Ok(pinned(&reference, &manifest.digest).field("tag", args.tag))
}

fn require_tag(reference: &Reference, tag: &str) -> Result<()> {
    if let Ok(whole) = tag.parse::<Reference>()
        && let Some(alone) = whole.tag()
    {
        bail!(
            Failure::usage(format!("`{tag}` is a reference, not a tag")).hint(format!(
                "write only the tag, as in `par tag {reference} {alone}`, or copy to another repository \
                 with `par copy`"
            ))
        );
    }
    Ok(reference.with_tag(tag).map(drop)?)
}
