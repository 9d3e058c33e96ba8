//! `par cache`

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use bytesize::ByteSize;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::cache::{Cache, PruneOptions, Pruned, Usage, Verified};
use crate::cli::arguments::age;
use crate::cli::output::{Answer, Failure, Problem, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::ErrorKind;

/// List, verify and prune the cache
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par cache list
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
    /// List the tags in the cache: digest, size, when the registry confirmed it, when it was used
    #[command(after_help = "Examples:\n  par cache list\n  par cache list -o json")]
    List,
    /// Read everything in the cache, and remove damaged files
    ///
    /// The exit code is 5 if a file was damaged. Without this, each use of a file checks its size, its time
    /// and its permissions.
    #[command(after_help = "Examples:\n  par cache verify")]
    Verify,
    Prune(Prune),
}

/// Remove least recently used content, and interrupted downloads that are older than a day
///
/// Content that is in use stays, and a running provider is not affected. Content that was used within the
/// grace period stays too: an executable that was just fetched may not have been started yet.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par cache prune --max-size 5GB
  par cache prune --max-age 30d --dry-run")]
struct Prune {
    /// The size that the cache may have, as in `5GB` or `500MiB`. Default: any size
    #[arg(long, value_name = "SIZE", value_parser = ByteSize::from_str)]
    max_size: Option<ByteSize>,
    /// Remove content that was not used for this long, as in `30d` or `12h`. Default: any age
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<Duration>,
    /// Remove all content that is not in use at this moment. Default: only what the other options select
    #[arg(long, conflicts_with_all = ["max_size", "max_age", "grace"])]
    all: bool,
    /// Keep content that was used within this time. Default: 1h
    #[arg(long, value_name = "AGE", value_parser = age)]
    grace: Option<Duration>,
    /// Print what would be removed, and remove nothing. Default: it is removed
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || match args.command {
        Command::Path => {
            let path = path_text(&Cache::directory_to_open(session.cache_directory())?);
            Ok(Answer::lines([&path]).field("path", path.as_str()))
        }
        Command::List => list(&session),
        Command::Verify => verify(&session),
        Command::Prune(args) => prune(&args, &session),
    })
    .await
}

fn list(session: &Session) -> Result<Answer> {
    let listing = session.in_existing_cache(|cache| cache.list())?;
    let references = &listing.references;
    let names = references.iter().map(|listed| listed.reference.len());
    let width = names.max().unwrap_or(0);
    let lines = references.iter().map(|listed| {
        format!(
            "{:width$}  {}  {:>9}  {:20}  {}",
            listed.reference,
            listed.digest,
            listed.size.map_or("-".to_owned(), size),
            date(listed.confirmed),
            listed.used.map_or("-".to_owned(), date),
        )
    });
    let described = references.iter().map(|listed| {
        json!({
            "reference": listed.reference,
            "digest": listed.digest.to_string(),
            "size": listed.size,
            "confirmed": date(listed.confirmed),
            "used": listed.used.map(date),
        })
    });
    let usage = |usage: Usage| format!("{} with {}", usage.files, size(usage.bytes));
    session.note(&format!(
        "blobs: {}; executables: {}; unfinished downloads: {}",
        usage(listing.blobs),
        usage(listing.executables),
        usage(listing.unfinished)
    ));
    let count = |usage: Usage| json!({ "files": usage.files, "bytes": usage.bytes });
    Ok(Answer::lines(lines)
        .field("references", described.collect::<Value>())
        .field("blobs", count(listing.blobs))
        .field("executables", count(listing.executables))
        .field("unfinished", count(listing.unfinished)))
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
    Ok(Answer::lines(&damaged)
        .field("files", verified.files)
        .field("bytes", verified.bytes)
        .field("damaged", damaged)
        .failing(problem))
}

fn prune(args: &Prune, session: &Session) -> Result<Answer> {
    if args.max_size.is_none() && args.max_age.is_none() && !args.all {
        let hint = "give --max-size SIZE, --max-age AGE for content that was not used, or --all";
        bail!(Failure::usage("no option says what to remove").hint(hint));
    }
    let options = PruneOptions {
        max_size: args.max_size.map(|size| size.as_u64()),
        max_age: args.max_age,
        all: args.all,
        grace: args.grace.unwrap_or(PruneOptions::default().grace),
        dry_run: args.dry_run,
    };
    let pruned: Pruned = session.in_existing_cache(|cache| cache.prune(&options))?;
    let (freed, left) = (size(pruned.freed), size(pruned.left));
    session.note(&if args.dry_run {
        format!("this would free {freed} and leave {left}")
    } else {
        format!("freed {freed}; {left} are left")
    });
    if options.max_size.is_some_and(|most| pruned.left > most) {
        let grace = humantime::format_duration(options.grace);
        session.note(&format!(
            "that is more than --max-size: content stays that is in use, or was used within the last \
             {grace} (--grace)"
        ));
    }
    let removed = names(&pruned.removed);
    Ok(Answer::lines(&removed)
        .field("removed", removed)
        .field("freed", pruned.freed)
        .field("left", pruned.left)
        .field("dry_run", args.dry_run))
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path_text(path)).collect()
}

fn size(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string()
}

fn date(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
