//! `par cache`

mod failed;
mod list;
mod prune;
mod text;
mod which;

use anyhow::Result;
use clap::Subcommand;

use crate::cache::{Cache, Verified};
use crate::cli::output::{Answer, Problem, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::ErrorKind;

use failed::with_failures;
use text::{names, size};

/// List, verify and prune the cache, and find out which provider an executable is
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par cache list
  par cache which 4711
  par cache verify
  par cache prune --max-size 5GB --max-age 30d")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the directory of the cache, as --cache-dir takes it
    #[command(after_help = "Examples:\n  par cache path")]
    Path,
    /// List what can be started from the cache, a line for each tag, and for each digest without a tag
    ///
    /// The columns are: the reference, the digest of the manifest, the size on this disk, `offline` if a fetch needs no
    /// registry or `online` if it does, the targets, the provider, its issuer, when the registry confirmed the tag,
    /// when the provider was used last, and the name and the version. Content that several lines share counts for the
    /// first of them. The total includes everything else in the cache. Pruned content is not listed. Nothing is
    /// checked against the trust policy.
    #[command(after_help = "Examples:\n  par cache list\n  par cache list -o json")]
    List,
    Which(which::Args),
    /// Read everything in the cache, and remove damaged files
    ///
    /// The exit code is 5 if a file was damaged. Other commands check only the size, the time and the permissions of a
    /// file before they use it.
    #[command(after_help = "Examples:\n  par cache verify")]
    Verify,
    Prune(prune::Args),
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || match args.command {
        Command::Path => {
            let path = path_text(&Cache::directory_to_open(session.cache_directory())?);
            Ok(Answer::lines([&path]).field("path", path.as_str()))
        }
        Command::List => list::run(&session),
        Command::Which(args) => which::run(&args, &session),
        Command::Verify => verify(&session),
        Command::Prune(args) => prune::run(&args, &session),
    })
    .await
}

fn verify(session: &Session) -> Result<Answer> {
    let progress = session.progress().as_ref();
    let verified: Verified = session.in_existing_cache(|cache| cache.verify(progress))?;
    let damaged = names(&verified.damaged);
    let problem = (!damaged.is_empty()).then(|| {
        let (count, files) = (damaged.len(), verified.files);
        let message = format!("{count} of {files} files were damaged, and were removed");
        let hint = "check the disk; removed files are downloaded again when they are needed";
        Problem::found(ErrorKind::NotVerified, message, Some(hint.to_owned()))
    });
    if problem.is_none() {
        let (files, size) = (verified.files, size(verified.bytes));
        session.note(&format!("{files} files, {size}: none is damaged"));
    }
    let answer = Answer::lines(&damaged)
        .field("files", verified.files)
        .field("bytes", verified.bytes)
        .field("damaged", damaged);
    Ok(with_failures(answer, verified.failures, problem, session))
}
