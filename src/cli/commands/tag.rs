//! `par tag`

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, Failure, escape};
use crate::cli::session::Session;
use crate::client::TrustPolicy;
use crate::oci::Reference;

/// Add a tag to what a reference stands for, and print that by its digest
///
/// Nothing is copied: the tag is for the same manifest in the same repository.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to tag
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The tag to add, such as `1.0`; one that exists is moved
    #[arg(value_name = "TAG")]
    tag: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    // Before anybody is asked: is it a tag?
    require_tag(&reference, &args.tag)?;
    args.registry.settle_tag(&args.tag)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let manifest = client.tag(&reference, &args.tag).await?;
    let pinned = reference.pinned(&manifest.digest);
    Ok(Answer::new(escape::line(&pinned))
        .field("reference", pinned)
        .field("digest", manifest.digest.to_string())
        .field("tag", args.tag))
}

fn require_tag(reference: &Reference, tag: &str) -> Result<()> {
    let whole: Result<Reference, _> = tag.parse();
    // It holds a slash, and so it is no tag by mistake.
    match whole.ok().and_then(|whole| Some(whole.tag()?.to_owned())) {
        Some(alone) => bail!(
            Failure::usage(format!("`{tag}` is a reference where a tag is expected")).hint(format!(
                "write the tag alone, `par tag {reference} {alone}`: it is added in the same repository; \
                 `par copy` puts it into another one"
            ))
        ),
        None => Ok(reference.with_tag(tag).map(drop)?),
    }
}
