//! `par attach`

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Value, json};

use crate::archive::from_unix;
use crate::cli::arguments::{Argument, RegistryArgs, archive_path, created_at};
use crate::cli::output::{Answer, Failure, bytes};
use crate::cli::session::Session;
use crate::cli::spool::keep_standard_input;
use crate::client::{Attached, Attachment, TrustPolicy};
use crate::oci::Reference;

use super::annotations::{annotation, unique};
use super::pinned::pinned;

/// Attach a file to a manifest, such as a bill of materials, and print the reference of the attachment by digest
///
/// The attachment is a new manifest whose subject is the manifest of REF. `par discover`, `oras`, `regctl` and `cosign`
/// list it. If the registry does not list attachments, `par` maintains the list under a tag.
///
/// REF may name any kind of artifact. A file that is attached already with the same type and the same annotations is
/// not attached again.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par attach ghcr.io/org/provider:1.0.0 provider.cdx.json --type application/vnd.cyclonedx+json
  par attach ghcr.io/org/provider:1.0.0 report.json --type application/vnd.example.audit -a org.example.by=alice
  par attach ghcr.io/org/provider:1.0.0 - --type application/vnd.example.audit <audit.json")]
pub(crate) struct Args {
    /// The manifest to attach to
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The file to attach; `-` reads it from standard input
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    file: Argument,
    /// The type of the attachment, a media type such as `application/vnd.cyclonedx+json`. Tools find attachments by
    /// their type
    #[arg(long = "type", visible_alias = "artifact-type", value_name = "TYPE")]
    artifact_type: String,
    /// The media type of the file. Default: TYPE if it names a format, such as a type that ends with `+json`; else the
    /// media type for the extension of the file; else `application/octet-stream`
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// An annotation for the manifest of the attachment. May be given several times. Default: only that of
    /// the time, `org.opencontainers.image.created`
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// The time of the attachment, in seconds since 1970, for an annotation. Default: now
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Print the reference that the attachment would get, but send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let created = created_at(args.created.as_deref(), "the attachment")?;
    let annotations = unique(args.annotations)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let (mut attachment, _kept) = if args.file == "-" {
        let kept = keep_standard_input("the file to attach").await?;
        let attachment = Attachment::file(kept.to_path_buf(), args.artifact_type);
        (attachment.title(None), Some(kept))
    } else {
        let path = archive_path(&args.file);
        (Attachment::file(path, args.artifact_type), None)
    };
    attachment.media_type = args.media_type;
    attachment.annotations = annotations;
    attachment.created = created.map(from_unix);
    let attached = client.attach_unless(&reference, &attachment, args.dry_run);
    let attached = attached.await?;
    tell(&attached, args.dry_run, session);
    Ok(pinned(&reference, &attached.digest)
        .field("subject", attached.subject.to_string())
        .field("artifact_type", attached.artifact_type)
        .field("media_type", attached.content.media_type)
        .field("content", attached.content.digest.to_string())
        .field("size", attached.content.size)
        .field("existed", attached.existed)
        .field("dry_run", args.dry_run))
}

/// Tells the user whether the file was attached.
pub(super) fn tell(attached: &Attached, dry_run: bool, session: &Session) {
    let Attached { subject, .. } = attached;
    if attached.existed {
        session.note(&format!("{subject} has this attachment already"));
    } else if dry_run {
        session.note("nothing was sent: this is a dry run");
    } else {
        let size = bytes(attached.content.size);
        session.note(&format!("attached {size} to {subject}"));
    }
}

/// Returns an attachment in the repository or the layout of `reference`, for a JSON answer.
pub(super) fn to_json(reference: &Reference, attached: &Attached) -> Value {
    json!({
        "reference": reference.pinned(&attached.digest),
        "digest": attached.digest.to_string(),
        "artifact_type": attached.artifact_type,
        "existed": attached.existed,
    })
}

/// Parses `FILE=TYPE`, a file to attach and its type. The name of a file may contain `=`, but a type cannot.
pub(super) fn file_and_type(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((file, artifact_type)) if !file.is_empty() && !artifact_type.is_empty() => {
            Ok((file.to_owned(), artifact_type.to_owned()))
        }
        _ => Err(
            "write FILE=TYPE, as in `provider.cdx.json=application/vnd.cyclonedx+json`".to_owned(),
        ),
    }
}

/// Returns an attachment for each of these files. `created` is their time, in seconds since 1970.
pub(super) fn attachments(
    files: Vec<(String, String)>,
    created: Option<u64>,
) -> Result<Vec<Attachment>> {
    let mut attachments = Vec::new();
    for (file, artifact_type) in files {
        if file == "-" {
            let message = "--attach cannot read a file from standard input";
            bail!(Failure::usage(message).hint("push first, and attach with `par attach REF -`"));
        }
        let mut attachment = Attachment::file(archive_path(file.as_ref()), artifact_type);
        attachment.created = created.map(from_unix);
        attachments.push(attachment);
    }
    Ok(attachments)
}

#[cfg(test)]
#[path = "tests/attach.rs"]
mod tests;
