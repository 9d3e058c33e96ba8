//! `par copy`

use std::ffi::OsString;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::arguments::{Reached, SidesArgs};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::{CopyOptions, LeftOut, TrustPolicy};

use super::{left_out, pinned};

/// Copy an artifact to another reference, and print that reference by digest
///
/// SRC and DST can be in a registry or in an OCI image layout, which is a directory or a tar. The artifact may be of
/// any kind: a manifest is copied with its config and layers, an index with everything it lists. All content is checked
/// against its digest; use `par verify` to verify an archive. Content that exists at the destination is not sent again,
/// and the tag is set last. Foreign layers that SRC does not hold are left out with a warning.
///
/// Attachments are copied with the artifact: its referrers, such as signatures, attestations and bills of materials,
/// the referrers of these, and the tags `sha256-….sig`, `.att` and `.sbom` of cosign.
///
/// The options for registries apply to both SRC and DST. Options that begin with --from apply only to SRC, and options
/// that begin with --to only to DST. They override the options for both.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par copy ghcr.io/org/provider:1.0.0 registry.example.com/org/provider:1.0.0
  par copy ghcr.io/org/provider:1.0.0 oci-layout://mirror:1.0.0
  par copy ghcr.io/org/provider:1.0.0 oci-archive://mirror.tar:1.0.0
  par copy ghcr.io/org/provider:1.0.0 registry.lan/org/provider:1.0.0 --to-ca lan.pem \\
      --to-user ci --to-password-stdin < password
  par copy ghcr.io/org/provider:1.0.0 registry.lan/org/provider:1.0.0 --without-referrers")]
pub(crate) struct Args {
    /// The artifact to copy
    #[arg(value_name = "SRC")]
    source: OsString,
    /// The reference to copy it to
    #[arg(value_name = "DST")]
    destination: OsString,
    /// Allow the tag of DST to be moved from an archive of another issuer or subject. Default: that is an error
    #[arg(long)]
    change_identity: bool,
    /// Do not copy the attachments of the artifact, such as signatures. Default: they are copied
    #[arg(long)]
    without_referrers: bool,
    #[command(flatten)]
    registries: SidesArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let both = &args.registries.both;
    let source = both.reference(&args.source, false)?;
    let destination = both.reference(&args.destination, false)?;
    let (from, to) = args
        .registries
        .split(Some(&source), Some(&destination), session)?;
    let from = from.client(session, TrustPolicy::anyone()).await?;
    let to = to.client(session, TrustPolicy::anyone()).await?;
    let options = CopyOptions::default()
        .change_identity(args.change_identity)
        .without_referrers(args.without_referrers);
    let copied = to.copy_from(&from, &source, &destination, options).await;
    let reached = Reached::new(Some(&source), Some(&destination));
    let copied = copied.map_err(|error| reached.explain(pinned::explain(error)))?;
    for warning in left_out::warnings(&copied.left_out, args.source.display()) {
        tracing::warn!("{warning}");
    }
    pinned::tell_moved(session, &copied.tags, &copied.digest);
    if let Some(attached) = attached(copied.referrers, copied.attached_tags) {
        session.note(&attached);
    }
    let left_out = copied.left_out.iter().map(value).collect::<Value>();
    Ok(pinned::pushed(&copied.reference, &copied.digest)
        .field("tags", pinned::tags(&copied.tags))
        .field("left_out", left_out)
        .field("referrers", copied.referrers)
        .field("attached_tags", copied.attached_tags))
}

/// Returns a message about the attachments that were copied, or `None` if there were none.
fn attached(referrers: usize, tags: usize) -> Option<String> {
    let count = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let counts = [count(referrers, "referrer"), count(tags, "attached tag")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    (!counts.is_empty()).then(|| format!("copied with {}", counts.join(" and ")))
}

fn value(left_out: &LeftOut) -> Value {
    json!({
        "digest": left_out.digest.to_string(),
        "media_type": left_out.media_type,
        "urls": left_out.urls,
    })
}
