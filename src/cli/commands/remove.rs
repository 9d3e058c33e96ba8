//! `par remove`

use std::collections::BTreeSet;

use anyhow::Result;

use crate::archive::RequestedTarget;
use crate::cli::arguments::EditArgs;
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::cli::threads::blocking;

/// Remove executables from an archive, and print its path
///
/// The archive is verified first. It keeps its issuer, its subject and everything else, and is replaced in one
/// step. At least one executable must remain.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  par remove provider.par.gz --target x86_64-windows")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The target of the executable to remove. May be given several times
    #[arg(long = "target", required = true, value_name = "TARGET")]
    targets: Vec<RequestedTarget>,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    args.edit = args.edit.read_streams().await?;
    let session = session.clone();
    blocking(move || {
        args.edit.edit(&session, |writer| {
            // A target may be given twice, but can be removed only once. All are chosen before the first is removed:
            // without it, its triple would mean another executable.
            let targets = args.targets.iter().map(|wanted| writer.target(wanted));
            for target in targets.collect::<BTreeSet<_>>() {
                writer.remove(&target)?;
            }
            Ok(())
        })
    })
    .await
}
