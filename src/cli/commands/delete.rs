//! `par delete`

use std::ffi::OsString;
use std::io::IsTerminal;

use anyhow::{Result, bail};

use crate::cli::arguments::RegistryArgs;
use crate::cli::output::{Answer, Failure, escape, terminal};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::client::{Deletion, TrustPolicy};
use crate::content::ErrorKind;
use crate::oci::Reference;

/// Delete a manifest from a registry, with all its tags
///
/// Registries delete manifests, and a tag goes with its manifest. When a manifest has other tags than the
/// one in REF, nothing is deleted: name it by its digest to delete it with all of them. The space is freed
/// when the registry collects what nothing refers to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to delete
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Do not ask. Default: asked on a terminal, and nothing is deleted where there is none
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
                "{reference} is in an image layout, from which nothing is deleted"
            ))
            .hint("copy what you want to keep into a new layout, and remove the folder")
        ),
    };
    if !args.force && !std::io::stdin().is_terminal() {
        bail!(
            Failure::usage(format!(
                "deleting {reference} wants to be confirmed, and there is no terminal to ask on"
            ))
            .hint("give --force if it is meant")
        );
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let deletion = client.deletion(place).await?;
    let pinned = reference.pinned(&deletion.digest);
    refuse_others(&reference, &deletion)?;
    if !args.force {
        if !confirmed(&pinned, &deletion).await? {
            bail!(Failure::new(
                ErrorKind::Other,
                format!("{pinned} was not deleted")
            ));
        }
        // Who thinks about it gives others time to move tags.
        if client.deletion(place).await? != deletion {
            bail!(
                Failure::new(
                    ErrorKind::Conflict,
                    format!("{pinned} was not deleted: its tags have changed meanwhile")
                )
                .hint("run the command again to see what would be deleted now")
            );
        }
    }
    client.delete(&deletion).await?;
    Ok(Answer::new(escape::line(&pinned))
        .field("reference", pinned)
        .field("digest", deletion.digest.to_string())
        .field("tags", deletion.tags))
}

/// Who names one tag does not mean the others.
fn refuse_others(reference: &Reference, deletion: &Deletion) -> Result<()> {
    let (None, Some(tag)) = (reference.digest(), reference.tag()) else {
        return Ok(());
    };
    let others: Vec<&str> = deletion
        .tags
        .iter()
        .map(String::as_str)
        .filter(|other| *other != tag)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let pinned = reference.pinned(&deletion.digest);
    bail!(
        Failure::new(
            ErrorKind::Conflict,
            format!(
                "deleting {reference} would delete what other tags stand for: {}",
                others.join(", ")
            )
        )
        .hint(format!(
            "to delete it with all its tags, run `par delete {pinned}`"
        ))
    )
}

/// Asks on the terminal.
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
