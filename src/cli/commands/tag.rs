//! `par tag`

use std::ffi::OsString;

use anyhow::Result;

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::{TagOptions, TrustPolicy};

use super::pinned::{self, pinned};

/// Add tags to a manifest, and print the manifest's reference by digest
///
/// Nothing is copied: the tags are set in the same repository. A tag that names another manifest is moved, and the move
/// is reported. To move a tag that names an archive of another issuer or subject, give --change-identity.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par tag ghcr.io/org/provider:1.2.3 1.2 1
  par tag ghcr.io/org/provider:1.2.3 stable --if-absent")]
pub(crate) struct Args {
    /// The manifest to tag
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The tags to add, such as `1.2`
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
    /// Fail if one of the tags names another manifest already, instead of moving it
    #[arg(long)]
    if_absent: bool,
    /// Allow a tag that names an archive of another issuer or subject to be moved. Default: that is an error
    #[arg(long)]
    change_identity: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    // The tags are checked before any request.
    let command = format!("par tag {reference}");
    for tag in &args.tags {
        args.registry.settle_new_tag(&reference, tag, &command)?;
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let options = TagOptions::default()
        .if_absent(args.if_absent)
        .change_identity(args.change_identity);
    let tagged = client.add_tags(&reference, &args.tags, options);
    let tagged = tagged.await?;
    let digest = &tagged.manifest.digest;
    pinned::tell_moved(session, &tagged.tags, digest);
    let answer = pinned(&reference, digest).field("tags", pinned::tags(&tagged.tags));
    Ok(match args.tags.as_slice() {
        [tag] => answer.field("tag", tag.as_str()),
        _ => answer,
    })
}
