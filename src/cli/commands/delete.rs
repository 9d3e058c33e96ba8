//! `par delete`

use std::ffi::OsString;
use std::io::IsTerminal;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, Failure, escape, terminal};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::client::{self, Client, Deletion, TaggedReferrer, TrustPolicy};
use crate::content::ErrorKind;
use crate::oci::{self, Reference, RegistryReference};

use super::pinned;

/// Delete a manifest from a registry with its attachments, or delete only a tag
///
/// A registry deletes a manifest with all its tags. `par` also deletes what belongs to the manifest: its referrers,
/// such as signatures and bills of materials, the referrers of those, and the tags `sha256-….sig`, `.att` and `.sbom`
/// of cosign. A referrer with a tag of its own is kept, such as the container image of an archive. If the manifest has
/// other tags than the one in REF, nothing is deleted: name the manifest by its digest to delete it with all its tags.
/// The registry frees the space with its next garbage collection.
///
/// With --tag, only the tag is removed, and the manifest keeps its other tags. Registries that implement version 1.1 of
/// the OCI distribution specification can do that. Other registries refuse, and nothing is deleted then. In an image
/// layout, a tag can always be removed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par delete ghcr.io/org/provider:1.0.0-rc1
  par delete --tag ghcr.io/org/provider:1.0.0-rc1
  par delete ghcr.io/org/provider@sha256:… --force
  par delete ghcr.io/org/provider:1.0.0-rc1 --keep-referrers")]
pub(crate) struct Args {
    /// The manifest to delete
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Remove only the tag of REF, and keep its manifest. Default: the manifest is deleted; if REF has a tag, only if the
    /// manifest has no other tag
    #[arg(long)]
    tag: bool,
    /// Keep what belongs to the manifest, such as signatures. Default: it is deleted with the manifest
    #[arg(long, conflicts_with = "tag")]
    keep_referrers: bool,
    /// Do not ask for confirmation. Default: `par` asks on a terminal, and deletes nothing without one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, args.tag)?;
    if args.tag && reference.tag().is_none() {
        bail!(
            Failure::usage(format!("{reference} names no tag to remove"))
                .hint("add the tag, as in `:1.0.0`")
        );
    }
    let place = match &reference {
        Reference::Registry(place) => Some(place),
        Reference::Layout(_) if args.tag => None,
        Reference::Layout(_) => bail!(
            Failure::usage(format!(
                "cannot delete {reference}: it is in an image layout"
            ))
            .hint(
                "remove a tag with --tag; or copy what you want to keep into a new layout, and remove this one"
            )
        ),
    };
    if !args.force && !std::io::stdin().is_terminal() {
        let message =
            format!("cannot ask to confirm that {reference} is deleted: there is no terminal");
        bail!(Failure::usage(message).hint("give --force to delete without confirmation"));
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    match place {
        Some(place) if !args.tag => {
            delete_manifest(&client, &args, &reference, place, session).await
        }
        place => delete_tag(&client, &args, &reference, place, session).await,
    }
}

async fn delete_manifest(
    client: &Client,
    args: &Args,
    reference: &Reference,
    place: &RegistryReference,
    session: &Session,
) -> Result<Answer> {
    let look_up = async || {
        let deletion = client.deletion(place).await?;
        Ok::<_, client::Error>(if args.keep_referrers {
            deletion.keep_attached()
        } else {
            deletion
        })
    };
    let deletion = look_up().await?;
    let pinned = reference.pinned(&deletion.digest);
    refuse_others(reference, &deletion)?;
    note_attached(session, &deletion);
    if !args.force {
        if !confirmed(&pinned, &deletion).await? {
            bail!("{pinned} was not deleted");
        }
        // While the question waited for the user, others may have moved tags or attached something.
        let now = look_up().await?;
        if now != deletion {
            let changed = if now.tags == deletion.tags && now.digest == deletion.digest {
                "its attachments have changed"
            } else {
                "its tags have changed"
            };
            let message =
                format!("{pinned} was not deleted: {changed} since the question was asked");
            bail!(
                Failure::new(ErrorKind::Conflict, message)
                    .hint("run the command again to see what would be deleted now")
            );
        }
    }
    client.delete(&deletion).await.map_err(explain)?;
    for kept in &deletion.kept {
        session.note(&format!(
            "kept the referrer {}: {}",
            kept.digest,
            named(kept)
        ));
    }
    let attached = deletion.attached.iter().map(ToString::to_string);
    let kept = deletion
        .kept
        .iter()
        .map(|kept| json!({ "digest": kept.digest.to_string(), "tags": kept.tags }));
    Ok(pinned::pinned(reference, &deletion.digest)
        .field("attached", attached.collect::<Value>())
        .field("kept", kept.collect::<Value>())
        .field("tags", deletion.tags))
}

/// Reports which manifests are deleted with the manifest, and which are kept.
fn note_attached(session: &Session, deletion: &Deletion) {
    for digest in &deletion.attached {
        session.note(&format!("belongs to it: {digest}"));
    }
}

fn named(kept: &TaggedReferrer) -> String {
    match kept.tags.as_slice() {
        [tag] => format!("the tag {tag} names it"),
        tags => format!("the tags {} name it", tags.join(", ")),
    }
}

async fn delete_tag(
    client: &Client,
    args: &Args,
    reference: &Reference,
    place: Option<&RegistryReference>,
    session: &Session,
) -> Result<Answer> {
    if !args.force {
        let digest = client.resolve(reference).await?.digest;
        let question = format!("Remove the tag {reference}, which names {digest}? [y/N] ");
        if !is_agreed(question).await? {
            bail!("{reference} was not removed");
        }
    }
    let deleted = match (client.delete_tag(reference).await, place) {
        (Ok(deleted), _) => deleted,
        (Err(error), Some(place)) if is_unsupported(&error) => {
            // The other tags are only for the message, so a failure does not matter.
            let deletion = client.deletion(place).await.ok();
            return Err(explain_tag(error, reference, deletion));
        }
        (Err(error), _) => return Err(error.into()),
    };
    if deleted.manifest_deleted {
        let digest = &deleted.digest;
        session.warn(&format!(
            "the registry has deleted the manifest {digest} too, as some do when its last tag is removed"
        ));
    }
    Ok(pinned::pinned(reference, &deleted.digest)
        .field("tags", [reference.tag().unwrap_or_default()].as_slice())
        .field("manifest_deleted", deleted.manifest_deleted))
}

/// Returns whether a registry does not support the request. Registries that delete only by digest answer with 400.
pub(super) fn is_unsupported(error: &client::Error) -> bool {
    matches!(refusal(error), Some(400 | 404 | 405 | 415 | 501))
}

/// Returns the HTTP status with which a registry has refused.
fn refusal(error: &client::Error) -> Option<u16> {
    match error {
        client::Error::Store(error) => match error.downcast_ref()? {
            oci::Error::Refused { answer, .. } => Some(answer.status),
            _ => None,
        },
        _ => None,
    }
}

/// Adds to the error that the registry cannot remove a single tag, and which other tags the manifest has.
fn explain_tag(
    error: client::Error,
    reference: &Reference,
    deletion: Option<Deletion>,
) -> anyhow::Error {
    let kind = ErrorKind::Other;
    let mut message = "the registry cannot delete a tag without its manifest".to_owned();
    let mut hint = "delete the manifest with all its tags, or keep the tag".to_owned();
    if let Some(deletion) = deletion {
        let pinned = reference.pinned(&deletion.digest);
        let tags = deletion.tags.iter().map(String::as_str);
        let others: Vec<&str> = tags.filter(|tag| Some(*tag) != reference.tag()).collect();
        if others.is_empty() {
            message.push_str(&format!(", and {} has no other tag", deletion.digest));
            hint = format!("run `par delete {reference}` to delete the manifest with this tag");
        } else {
            let others = others.join(", ");
            message.push_str(&format!(
                ", and {} has other tags too: {others}",
                deletion.digest
            ));
            hint = format!(
                "keep the tag, or run `par delete {pinned}` to delete the manifest with all its tags"
            );
        }
    }
    anyhow::Error::new(error).context(Failure::new(kind, message).hint(hint))
}

/// Adds a hint to the error of a registry that does not delete.
pub(super) fn explain(error: client::Error) -> anyhow::Error {
    let status = refusal(&error);
    let kind = error.kind();
    match status {
        // These statuses mean that deleting is not allowed or not implemented.
        Some(404 | 405 | 501) => anyhow::Error::new(error).context(
            Failure::new(kind, "the registry does not delete").hint(
                "ask the operator of the registry to allow this: many registries only delete when they are \
                 configured to",
            ),
        ),
        _ => error.into(),
    }
}

/// Returns an error if the user names a tag, and the manifest has other tags too.
fn refuse_others(reference: &Reference, deletion: &Deletion) -> Result<()> {
    let (None, Some(tag)) = (reference.digest(), reference.tag()) else {
        return Ok(());
    };
    let tags = deletion.tags.iter().map(String::as_str);
    let others: Vec<&str> = tags.filter(|other| *other != tag).collect();
    if others.is_empty() {
        return Ok(());
    }
    let others = others.join(", ");
    let message =
        format!("deleting {reference} would also delete other tags of its manifest: {others}");
    let pinned = reference.pinned(&deletion.digest);
    let hint = format!("run `par delete {pinned}` to delete the manifest with all its tags");
    bail!(Failure::new(ErrorKind::Conflict, message).hint(hint))
}

async fn confirmed(pinned: &str, deletion: &Deletion) -> Result<bool> {
    let tags = match deletion.tags.as_slice() {
        [] => "which has no tag".to_owned(),
        [tag] => format!("and its tag {tag}"),
        tags => format!("and its tags {}", tags.join(", ")),
    };
    let attached = match deletion.attached.len() {
        0 => String::new(),
        1 => ", and a manifest that belongs to it".to_owned(),
        count => format!(", and {count} manifests that belong to it"),
    };
    is_agreed(format!("Delete {pinned}, {tags}{attached}? [y/N] ")).await
}

/// Asks the user on the terminal.
async fn is_agreed(question: String) -> Result<bool> {
    let answer = detached(move || Ok(terminal::ask(&escape::line(&question))?)).await?;
    let answer = answer.unwrap_or_default();
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
