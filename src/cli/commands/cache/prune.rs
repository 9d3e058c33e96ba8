//! `par cache prune`

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Result, bail};
use bytesize::ByteSize;
use clap::ValueHint;

use crate::cache::{PruneOptions, Pruned};
use crate::cli::arguments::age;
use crate::cli::output::{Answer, Failure, Problem};
use crate::cli::session::Session;
use crate::client::{Error, Lock, describe_cache};
use crate::content::Digest;

use super::failed::with_failures;
use super::text::{names, size};

/// Remove least recently used content, and interrupted downloads that are older than a day
///
/// Content that is in use or leased stays, and a running provider is not affected. Content that was used within
/// the grace period stays too: an executable that was just fetched may not have been started yet.
///
/// Archives are removed first if their executables are in the cache, then executables with their manifests. The
/// manifest of an executable that stays is kept, so that it can be started without the registry.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par cache prune --max-size 5GB
  par cache prune --max-age 30d --dry-run
  par cache prune --all --keep-locked par.lock")]
pub(crate) struct Args {
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
    /// Keep everything that this lock file names, even if another option selects it. May be given several times.
    /// Default: no lock file is read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    keep_locked: Vec<PathBuf>,
    /// Print what would be removed, and remove nothing. Default: it is removed
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<Answer> {
    if args.max_size.is_none() && args.max_age.is_none() && !args.all {
        let hint = "give --max-size SIZE, --max-age AGE for content that was not used, or --all";
        bail!(Failure::usage("no option says what to remove").hint(hint));
    }
    let options = PruneOptions {
        max_size: args.max_size.map(|size| size.as_u64()),
        max_age: args.max_age,
        all: args.all,
        grace: args.grace.unwrap_or(PruneOptions::default().grace),
        keep: locked(&args.keep_locked)?,
        dry_run: args.dry_run,
    };
    let pruned: Pruned = session.in_existing_cache(|cache| {
        describe_cache(&cache)?;
        cache.prune_until(&options, &|| session.interruption().requested())
    })?;
    let (freed, left) = (size(pruned.freed), size(pruned.left));
    session.note(&if args.dry_run {
        format!("this would free {freed} and leave {left}")
    } else {
        format!("freed {freed}; {left} are left")
    });
    if !pruned.is_stopped && options.max_size.is_some_and(|most| pruned.left > most) {
        let reason = reason(&options, &pruned);
        session.note(&format!("that is more than --max-size: {reason}"));
    }
    let in_use = names(&pruned.in_use);
    for path in &in_use {
        session.note(&format!("{path} is leased or in use, so it is kept"));
    }
    let removed = names(&pruned.removed);
    let answer = Answer::lines(&removed)
        .field("removed", removed)
        .field("in_use", in_use)
        .field("freed", pruned.freed)
        .field("left", pruned.left)
        .field("dry_run", args.dry_run);
    let problem = pruned.is_stopped.then(Problem::interrupted);
    Ok(with_failures(answer, pruned.failures, problem, session))
}

/// Returns why the cache is still larger than the user wants.
fn reason(options: &PruneOptions, pruned: &Pruned) -> String {
    if pruned.left_content == 0 {
        return "only small records are left, such as those of tags, which --all removes"
            .to_owned();
    }
    let mut reason = "content stays that is in use".to_owned();
    if !pruned.failures.is_empty() {
        reason.push_str(", that could not be removed");
    }
    if !options.keep.is_empty() {
        reason.push_str(", that a lock file names (--keep-locked)");
    }
    if !options.grace.is_zero() {
        let grace = humantime::format_duration(options.grace);
        reason.push_str(&format!(", or was used within the last {grace} (--grace)"));
    }
    reason
}

/// Returns the digests that these lock files name.
fn locked(files: &[PathBuf]) -> Result<Vec<Digest>> {
    let mut digests = Vec::new();
    for file in files {
        // If a lock cannot be read, it is not known what to keep, so nothing is removed.
        let lock = Lock::read(file).map_err(Error::from)?;
        digests.extend(lock.iter().map(|locked| locked.digest.clone()));
    }
    Ok(digests)
}
