//! The list of referrers that clients maintain where a registry has no referrers API (OCI distribution specification,
//! "Referrers Tag Schema").
//!
//! A client reads the list, changes it and writes it back. No conditional write works at all registries. So two clients
//! may read the same list, and the one that writes last removes the entry of the other.
//!
//! Therefore this client reads the list again after each change, and repeats the change if it is gone. It waits longer
//! before that than other clients are likely to take between their read and their write. A push does this at its end,
//! and does its other work meanwhile.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ConstantBuilder};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep_until};

use crate::content::{Descriptor, Digest, ErrorKind, Referrer};
use crate::oci::error::Error;
use crate::oci::media_type;
use crate::oci::referrers::{ReferrersIndex, referrers_tag};

use super::endpoints::Turn;
use super::http::Scope;
use super::referrers::{list_by_api, tagged_index, what_tagged};
use super::repository_endpoint::RepositoryEndpoint;
use super::upload::send_manifest;

/// How many times the list is read before the client gives up on changes that other clients undo.
const ROUNDS: u32 = 30;
/// How many times slower than this client another client may be between its read and its write.
const SLOWER: u32 = 4;
/// The shortest time until the list is read again.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest time until the list is read again.
const LONGEST: Duration = Duration::from_secs(3);
/// How many listed manifests are requested at a time.
const AT_A_TIME: usize = 8;

/// A change of a list.
enum Change {
    Add(Referrer),
    Remove(Digest),
}

impl Change {
    fn is_in(&self, index: &ReferrersIndex) -> bool {
        match self {
            Self::Add(referrer) => index.lists(&referrer.descriptor.digest),
            Self::Remove(digest) => !index.lists(digest),
        }
    }

    fn apply(&self, index: &mut ReferrersIndex) {
        match self {
            Self::Add(referrer) => index.add(referrer),
            Self::Remove(digest) => index.remove(digest),
        }
    }
}

/// Ensures that a stored manifest is listed as a referrer of `subject`, by the registry or in the list under the tag.
/// Returns the change of the list if the caller must [settle](ListChange::settle) it.
pub(crate) async fn ensure_listed(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    referrer: Referrer,
) -> Result<Option<ListChange>, Error> {
    let repository = for_change(repository);
    let digest = &referrer.descriptor.digest;
    if repository.endpoint.may_list_referrers(&repository.name) {
        let listed = match list_by_api(&repository, subject, None).await {
            // Some servers deny access to every path that they do not know.
            Err(error) if error.kind() == ErrorKind::Denied => Some(Vec::new()),
            listed => listed?,
        };
        if let Some(listed) = listed {
            let mut listed = listed.iter();
            if listed.any(|known| known.descriptor.digest == *digest) {
                return Ok(None);
            }
            let location = repository.location();
            tracing::info!(
                "{location} does not list {digest} as a referrer of {subject}; listing it under a tag"
            );
        } else {
            repository.endpoint.lists_no_referrers(&repository.name);
        }
    }
    let change = ListChange::new(repository, subject, Change::Add(referrer));
    change.make().await
}

/// Removes a manifest from the list under the tag, if there is one.
pub(crate) async fn ensure_unlisted(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    digest: &Digest,
) -> Result<(), Error> {
    let removal = Change::Remove(digest.clone());
    let change = ListChange::new(for_change(repository), subject, removal);
    match change.make().await? {
        Some(change) => change.settle().await,
        None => Ok(()),
    }
}

fn for_change(repository: &RepositoryEndpoint) -> RepositoryEndpoint {
    RepositoryEndpoint {
        reading: Scope::PUSH,
        ..repository.clone()
    }
}

/// Changes of one list that this client has written, and that other clients may undo.
pub(crate) struct ListChange {
    repository: RepositoryEndpoint,
    subject: Digest,
    changes: Vec<Change>,
    /// A lock that the tasks of this process share for this list. It holds the digest of the list that one of them read or
    /// wrote last.
    turn: Turn,
    rounds: u32,
    writes: u32,
    wait: Duration,
    /// When the list is read again.
    due: Instant,
}

impl ListChange {
    fn new(repository: RepositoryEndpoint, subject: &Digest, change: Change) -> Self {
        let turn = format!("{}@{subject}", repository.name);
        Self {
            turn: repository.endpoint.turn(&turn),
            repository,
            subject: subject.clone(),
            changes: vec![change],
            rounds: 0,
            writes: 0,
            wait: Duration::ZERO,
            due: Instant::now(),
        }
    }

    /// Makes the change. Returns `None` if the list has it already.
    async fn make(mut self) -> Result<Option<Self>, Error> {
        Ok((!self.attempt().await?).then_some(self))
    }

    /// Waits until other clients are likely to have finished their writes, and repeats the changes until they last.
    pub(super) async fn settle(mut self) -> Result<(), Error> {
        loop {
            sleep_until(self.due).await;
            if self.attempt().await? {
                return Ok(());
            }
        }
    }

    /// Takes over the changes of `other` if it is about the same list. Returns it otherwise.
    pub(super) fn merge(&mut self, other: Self) -> Option<Self> {
        if !Arc::ptr_eq(&self.turn, &other.turn) {
            return Some(other);
        }
        self.changes.extend(other.changes);
        self.rounds = self.rounds.max(other.rounds);
        self.writes = self.writes.max(other.writes);
        self.wait = self.wait.max(other.wait);
        self.due = self.due.max(other.due);
        None
    }

    /// Reads the list, and writes it if it lacks a change. Returns `true` if the list had all changes and no other client
    /// seems to be writing it.
    async fn attempt(&mut self) -> Result<bool, Error> {
        let (repository, subject) = (&self.repository, &self.subject);
        let mut last = self.turn.lock().await;
        let started = Instant::now();
        let index = tagged_index(repository, subject).await?;
        let index = index.unwrap_or_else(ReferrersIndex::empty);
        self.rounds += 1;
        if self.changes.iter().all(|change| change.is_in(&index)) {
            let found = Digest::of(&index.to_bytes(&what_tagged(repository, subject))?);
            // A list that differs from the one this process saw last was written by another client, which may write again.
            if self.writes == 0 || last.as_ref() == Some(&found) || self.rounds >= ROUNDS {
                return Ok(true);
            }
            *last = Some(found);
        } else if self.rounds > ROUNDS {
            return Err(self.undone());
        } else {
            *last = write(repository, subject, index, &self.changes).await?;
            self.writes += 1;
            let longest_window = (started.elapsed() * SLOWER).max(SHORTEST);
            self.wait = if self.writes == 1 {
                longest_window
            } else {
                // Other clients are writing too. A random wait keeps them from all writing at the same time again.
                jittered((self.wait * 2).max(longest_window))
            };
        }
        self.due = Instant::now() + self.wait.min(LONGEST);
        Ok(false)
    }

    fn undone(&self) -> Error {
        let tag = referrers_tag(&self.subject);
        let what = format!("tag {tag} of {}", self.repository.location());
        let reason = format!("other clients have undone each of {} changes", self.writes);
        Error::malformed(what, reason)
    }
}

/// Returns a random time between `wait` and twice `wait`.
fn jittered(wait: Duration) -> Duration {
    let delays = ConstantBuilder::default().with_delay(wait).with_jitter();
    delays.build().next().unwrap_or(wait)
}

/// Writes the list with the changes. Returns the digest of the written list, or `None` if another client wrote at the
/// same time.
async fn write(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    mut index: ReferrersIndex,
    changes: &[Change],
) -> Result<Option<Digest>, Error> {
    for change in changes {
        change.apply(&mut index);
    }
    let error = match send(repository, subject, &index).await {
        Err(error) => error,
        sent => return sent,
    };
    // Some registries accept an index only if they have each manifest that it lists.
    let is_refused = match error.root() {
        Error::Refused { answer, .. } => (400..500).contains(&answer.status),
        Error::NotFound { .. } => true,
        _ => false,
    };
    let missing = if is_refused {
        missing(repository, &index, &what_tagged(repository, subject)).await?
    } else {
        Vec::new()
    };
    if missing.is_empty() {
        return Err(error);
    }
    for digest in &missing {
        let location = repository.location();
        tracing::info!(
            "removing {digest} from the referrers of {subject}: {location} does not have it"
        );
        index.remove(digest);
    }
    send(repository, subject, &index).await
}

async fn send(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    index: &ReferrersIndex,
) -> Result<Option<Digest>, Error> {
    let bytes = Bytes::from(index.to_bytes(&what_tagged(repository, subject))?);
    let content = Descriptor::of(media_type::OCI_INDEX, &bytes);
    match send_manifest(repository, &content, bytes, &referrers_tag(subject)).await {
        Ok(_) => Ok(Some(content.digest)),
        // Another client has already replaced the list under the tag.
        Err(Error::StoredDifferently { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the manifests on a list that the registry does not have.
async fn missing(
    repository: &RepositoryEndpoint,
    index: &ReferrersIndex,
    what: &str,
) -> Result<Vec<Digest>, Error> {
    let looked_for = index.referrers(what).into_iter();
    let looked_for = looked_for.map(async |referrer| {
        let digest = referrer.descriptor.digest;
        match repository.resolve_name(&digest.to_string()).await {
            Err(Error::NotFound { .. }) => Ok(Some(digest)),
            found => found.map(|_| None),
        }
    });
    let looked_for: Vec<_> = looked_for.collect();
    let found = stream::iter(looked_for).buffer_unordered(AT_A_TIME);
    let found: Vec<Option<Digest>> = found.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}
