//! `par insert`

use anyhow::Result;

use super::binaries::BinaryOptions;
use super::editing::EditOptions;
use super::output::Answer;
use super::session::{Session, blocking};
use super::source;

/// Add executables to an archive, or replace those it has, and print its path
///
/// The archive is verified first and keeps its issuer, its service and everything else. It is replaced
/// in one step.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditOptions,
    #[command(flatten)]
    binaries: BinaryOptions,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || insert(&args, &session)).await
}

fn insert(args: &Args, session: &Session) -> Result<Answer> {
    let binaries = args.binaries.read()?;
    binaries.refuse_as_destination(&source::path(&args.edit.archive))?;
    let answer = args.edit.edit(session, |writer| {
        for (target, input) in binaries.inputs() {
            writer.executable(target, input);
        }
        Ok(())
    })?;
    Ok(binaries.warn(session, answer))
}
