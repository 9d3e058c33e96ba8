//! `par prune-tags`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Value, json};

use crate::cli::arguments::{
    RegistryArgs, TagPattern, age_with_unit, newest, place, require_whole_repository,
};
use crate::cli::failures::Failures;
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{
    Error, KeepReason, KeptTag, Lock, PruneOutcome, PrunePlan, PrunedManifest, Retention,
    TrustPolicy,
};
use crate::content::time_text;
use crate::oci::{Place, Reference, RegistryReference};

use super::delete::{explain, is_unsupported};

/// Show which old tags of a repository would be deleted, or delete them
///
/// A tag is deleted if it fulfils each given option: it matches --match, it is not among the newest of --keep-newest,
/// and it is older than --older-than. Without --match, only tags that are versions are deleted. The order of tags is
/// that of `par tags`. Nothing is deleted without --delete.
///
/// The age of a manifest comes from its annotation org.opencontainers.image.created, else from the time at which the
/// archive was signed, else from the config of an image. A manifest without any of them is kept.
///
/// A tag is kept if a lock names the tag or its manifest. A manifest is deleted with its last tag, together with its
/// attachments. A manifest is kept if it has another tag, if an index that is kept names it, or if it is attached to a
/// manifest that is kept. Then only the tag is removed, if the registry can do that.
///
/// The tags are read again several times during the deletion. A manifest that has got a new tag by then is kept. A tag
/// that another client creates after the last reading is deleted with its manifest.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
#[command(after_help = "\
Examples:
  par prune-tags ghcr.io/org/provider --keep-newest 10
  par prune-tags ghcr.io/org/provider --match '-rc' --older-than 90d --delete
  par prune-tags ghcr.io/org/provider --keep-newest 3 --keep-locked par.lock --delete")]
pub(crate) struct Args {
    /// The repository, such as ghcr.io/org/provider
    #[arg(value_name = "REPOSITORY", value_parser = place)]
    repository: Place,
    /// Keep this number of the tags that match --match, the newest ones. Default: the order of the tags does not matter
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep_newest: Option<u32>,
    /// Keep manifests that are younger than this age, such as `90d` or `6months`. Default: the age does not matter
    #[arg(long, value_name = "AGE", value_parser = age_with_unit)]
    older_than: Option<Duration>,
    /// Delete only tags that this regular expression matches. Default: only tags that are versions
    #[arg(long = "match", value_name = "REGEX")]
    pattern: Option<TagPattern>,
    /// Keep the tags and the digests in this lock file. May be given several times. Default: no lock is read
    #[arg(long = "keep-locked", value_name = "LOCK", value_hint = ValueHint::FilePath)]
    locks: Vec<PathBuf>,
    /// Delete the tags. Default: only print what would be deleted
    #[arg(long)]
    delete: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let repository = require_whole_repository(
        &args.repository,
        "and this command deletes tags of a repository",
    )?;
    if args.keep_newest.is_none() && args.older_than.is_none() && args.pattern.is_none() {
        let message = "no option selects the tags to delete";
        let hint = "give --keep-newest, --older-than or --match";
        bail!(Failure::usage(message).hint(hint));
    }
    let mut retention = kept_by_locks(&args.locks, repository).await?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let tags = client
        .tags(&Reference::Registry(repository.clone()))
        .await?;
    let mut candidates = newest(tags, args.pattern.as_ref(), None);
    let most = args.keep_newest.and_then(|most| usize::try_from(most).ok());
    candidates.truncate(candidates.len().saturating_sub(most.unwrap_or_default()));
    retention.tags = candidates.into_iter().collect();
    // A time before 1970 is earlier than the time of every manifest.
    retention.made_before = args.older_than.map(|age| {
        SystemTime::now()
            .checked_sub(age)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    });
    if let Some(date) = retention.made_before {
        let date = time_text(date);
        session.note(&format!("manifests that were made after {date} are kept"));
    }
    let plan = client.prune_plan(repository, &retention).await?;
    for kept in plan
        .kept
        .iter()
        .filter(|kept| kept.reason == KeepReason::UnknownAge)
    {
        session.warn(&format!("{} is kept: its age is unknown", kept.tag));
    }
    if !args.delete {
        let (tags, manifests, attached) = counts(&plan);
        session.note(&format!(
            "tags that would be deleted: {tags}, manifests: {manifests}, attachments: {attached}; --delete deletes them"
        ));
        let planned = plan
            .pruned
            .iter()
            .map(|manifest| value(manifest, &[], false));
        let lines = plan.pruned.iter().map(|manifest| line(&plan, manifest));
        let answer = answer(&args, &plan, lines, planned.collect());
        return Ok(answer.field("failures", json!([])));
    }
    let outcomes = client.prune_tags(&plan).await;
    Ok(report(&args, &plan, outcomes, session))
}

/// Returns the digests and the tags of `repository` that the lock files keep.
async fn kept_by_locks(paths: &[PathBuf], repository: &RegistryReference) -> Result<Retention> {
    let mut retention = Retention::default();
    let this = repository.under_one_name();
    for path in paths {
        let path = path.clone();
        let lock = blocking(move || Ok(Lock::read(&path).map_err(Error::from)?)).await?;
        for locked in lock.iter() {
            // The digest is kept in every repository, because a mirror has it under another name.
            retention.locked.insert(locked.digest.clone());
            if let Reference::Registry(place) = &locked.reference {
                let place = place.under_one_name();
                let is_here =
                    (place.registry(), place.repository()) == (this.registry(), this.repository());
                let tag = place.tag().filter(|_| is_here);
                retention.locked_tags.extend(tag.map(str::to_owned));
            }
        }
    }
    Ok(retention)
}

/// Returns how many tags, how many manifests and how many attachments of them the plan deletes.
fn counts(plan: &PrunePlan) -> (usize, usize, usize) {
    let tags = plan.pruned.iter().map(|manifest| manifest.tags.len());
    let deleted = plan
        .pruned
        .iter()
        .filter(|manifest| manifest.stays.is_none());
    let attached = plan.pruned.iter().map(|manifest| manifest.attached.len());
    (tags.sum(), deleted.count(), attached.sum())
}

/// Returns the answer about the deleted tags, and about failures.
fn report(args: &Args, plan: &PrunePlan, outcomes: Vec<PruneOutcome>, session: &Session) -> Answer {
    let mut failures = Failures::default();
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    let missed = plan.pruned.len() - outcomes.len();
    let (mut tags, mut manifests, mut attached) = (BTreeSet::new(), 0_u32, 0);
    for outcome in outcomes {
        let PruneOutcome {
            manifest,
            deleted,
            manifest_deleted,
            error,
            ..
        } = outcome;
        if !deleted.is_empty() {
            let gone = PrunedManifest {
                tags: deleted.clone(),
                ..manifest.clone()
            };
            lines.push(line(plan, &gone));
        }
        manifests += u32::from(manifest_deleted);
        if manifest_deleted {
            attached += manifest.attached.len();
        }
        values.push(value(&manifest, &deleted, manifest_deleted));
        let left = manifest.tags.iter().filter(|tag| !deleted.contains(tag));
        let left: Vec<_> = left.map(String::as_str).collect();
        tags.extend(deleted);
        match error {
            Some(error) if manifest.stays.is_some() && is_unsupported(&error) => {
                session.warn(&format!(
                    "the registry cannot remove a tag without its manifest, which is kept, so these tags are kept too: {}",
                    left.join(", ")
                ));
            }
            Some(error) => failures.add(left.join(", "), &explain(error)),
            None => {}
        }
    }
    session.note(&format!(
        "deleted tags: {}, manifests: {manifests}, attachments: {attached}",
        tags.len()
    ));
    if missed > 0 {
        session.warn(&format!(
            "manifests that were not tried after the failure: {missed}"
        ));
    }
    let answer = answer(args, plan, lines.into_iter(), values);
    failures.end(
        answer,
        session,
        "not everything that the options select was deleted",
    )
}

fn answer(
    args: &Args,
    plan: &PrunePlan,
    lines: impl Iterator<Item = String>,
    pruned: Vec<Value>,
) -> Answer {
    let kept = plan.kept.iter().map(
        |KeptTag {
             tag,
             digest,
             reason,
             ..
         }| {
            let reason = match reason {
                KeepReason::Locked => "locked",
                KeepReason::Young => "young",
                _ => "unknown-age",
            };
            json!({ "tag": tag, "digest": digest.to_string(), "reason": reason })
        },
    );
    Answer::lines(lines)
        .field("repository", args.repository.to_string())
        .field("dry_run", !args.delete)
        .field("kept", kept.collect::<Value>())
        .field("pruned", pruned)
}

/// Returns the line about a manifest that loses tags.
fn line(plan: &PrunePlan, manifest: &PrunedManifest) -> String {
    let reference = Reference::Registry(plan.repository.clone());
    let pinned = reference.pinned(&manifest.digest);
    let tags = manifest.tags.join(", ");
    match &manifest.stays {
        None => match manifest.attached.len() {
            0 => format!("delete  {pinned}  {tags}"),
            1 => format!("delete  {pinned}  {tags}  (with 1 attachment)"),
            count => format!("delete  {pinned}  {tags}  (with {count} attachments)"),
        },
        Some(reason) => format!("untag   {pinned}  {tags}  ({reason})"),
    }
}

fn value(manifest: &PrunedManifest, deleted: &[String], manifest_deleted: bool) -> Value {
    let attached = manifest.attached.iter().map(ToString::to_string);
    json!({
        "digest": manifest.digest.to_string(),
        "tags": manifest.tags,
        "created": manifest.created.map(time_text),
        "stays": manifest.stays,
        "attached": attached.collect::<Value>(),
        "deleted": deleted,
        "manifest_deleted": manifest_deleted,
    })
}
