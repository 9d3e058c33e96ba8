//! `par remove`

use std::collections::BTreeSet;

use anyhow::Result;

use crate::archive::Target;
use crate::cli::arguments::EditArgs;
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::cli::threads::blocking;

/// Remove executables from an archive, and print its path
///
/// The archive is verified first and keeps its issuer, its service and everything else. It is replaced
/// in one step. One executable has to stay.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// Whose executable to remove. May be given several times
    #[arg(long = "target", required = true, value_name = "TARGET")]
    targets: Vec<Target>,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || {
        // A target that is named twice is still removed once.
        let targets: BTreeSet<_> = args.targets.iter().collect();
        args.edit.edit(&session, |writer| {
            for target in targets {
                writer.remove(target)?;
            }
            Ok(())
        })
    })
    .await
}
