//! `par delete`

use std::ffi::OsString;
use std::io::IsTerminal;

use anyhow::{Result, bail};

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, Failure, escape, terminal};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::client::{self, Deletion, TrustPolicy};
use crate::content::ErrorKind;
use crate::oci::{self, Reference};

use super::pinned;

/// Delete a manifest from a registry, with all its tags
///
/// Registries delete manifests, and with a manifest all its tags. If the manifest has other tags than the one
/// in REF, nothing is deleted: name the manifest by its digest to delete it with all its tags. The registry
/// frees the space with its next garbage collection.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par delete ghcr.io/org/provider:1.0.0-rc1
  par delete ghcr.io/org/provider@sha256:… --force")]
pub(crate) struct Args {
    /// The manifest to delete
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Do not ask for confirmation. Default: `par` asks on a terminal, and deletes nothing without one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let place = match &reference {
        Reference::Registry(place) => place,
        Reference::Layout(_) => bail!(
            Failure::usage(format!(
                "cannot delete {reference}: it is in an image layout"
            ))
            .hint("copy what you want to keep into a new layout, and remove the directory")
        ),
    };
    if !args.force && !std::io::stdin().is_terminal() {
        let message =
            format!("cannot ask to confirm that {reference} is deleted: there is no terminal");
        bail!(Failure::usage(message).hint("give --force to delete without confirmation"));
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let deletion = client.deletion(place).await?;
    let pinned = reference.pinned(&deletion.digest);
    refuse_others(&reference, &deletion)?;
    if !args.force {
        if !confirmed(&pinned, &deletion).await? {
            bail!("{pinned} was not deleted");
        }
        // While the user was asked, others may have moved tags.
        if client.deletion(place).await? != deletion {
            let message =
                format!("{pinned} was not deleted: its tags have changed in the meantime");
            bail!(
                Failure::new(ErrorKind::Conflict, message)
                    .hint("run the command again to see what would be deleted now")
            );
        }
    }
    client.delete(&deletion).await.map_err(explain)?;
    Ok(pinned::pinned(&reference, &deletion.digest).field("tags", deletion.tags))
}

/// Adds what the user can do about a registry that does not delete.
fn explain(error: client::Error) -> anyhow::Error {
    let status = match &error {
        client::Error::Store(error) => error.downcast_ref().and_then(|error| match error {
            oci::Error::Refused { answer, .. } => Some(answer.status),
            _ => None,
        }),
        _ => None,
    };
    let kind = error.kind();
    match status {
        // Not allowed, or not implemented.
        Some(404 | 405 | 501) => anyhow::Error::new(error).context(
            Failure::new(kind, "the registry does not delete").hint(
                "ask the operator of the registry to allow this: many registries only delete when they are \
                 configured to",
            ),
        ),
        _ => error.into(),
    }
}

/// Returns an error if the user names one tag, and the manifest has others.
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
    let question = format!("Delete {pinned}, {tags}? [y/N] ");
    let answer = detached(move || Ok(terminal::ask(&escape::line(&question))?)).await?;
    let answer = answer.unwrap_or_default();
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
