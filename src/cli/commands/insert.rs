//! `par insert`

use anyhow::Result;

use crate::cli::arguments::{BinaryArgs, EditArgs, archive_path};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::cli::threads::blocking;

/// Add or replace executables in an archive, and print its path
///
/// The archive is verified first. It keeps its issuer, its subject and everything else, and is replaced in one
/// step.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  par insert provider.par.gz -b aarch64-linux=build/provider")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    binaries: BinaryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    args.edit = args.edit.read_streams().await?;
    let session = session.clone();
    blocking(move || insert(&args, &session)).await
}

fn insert(args: &Args, session: &Session) -> Result<Answer> {
    let binaries = args.binaries.read()?;
    binaries.refuse_as_destination(&archive_path(&args.edit.archive))?;
    let answer = args.edit.edit(session, |writer| {
        for (target, input) in binaries.inputs() {
            writer.executable(target, input);
        }
        Ok(())
    })?;
    binaries.warn(session);
    Ok(answer)
}
