//! The list of referrers that clients maintain where a registry has no referrers API (OCI distribution specification,
//! "Referrers Tag Schema").
//!
//! A client reads the list, changes it and writes it. Registries have no condition for that which all of them honour, so a
//! client that reads the list before another one writes it, and writes it afterwards, removes the entry of the other
//! one. So each change is looked for again after a while that is longer than others take between reading and writing,
//! and is made once more if it is gone. A push that has other things to do meanwhile does that at its end.

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

/// How often a change is made that other clients undo.
const ROUNDS: u32 = 30;
/// How many times as long as this client has taken between reading and writing another client may take.
const SLOWER: u32 = 4;
/// The shortest time after which a change is looked for again.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest time after which a change is looked for again.
const LONGEST: Duration = Duration::from_secs(3);
/// How many entries are looked for at a time.
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

/// Makes sure that a stored manifest is found as a referrer of `subject`: the registry lists it, or the list under
/// the tag does. Returns the change of the list when it has to be [settled](ListChange::settle).
pub(crate) async fn ensure_listed(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    referrer: Referrer,
) -> Result<Option<ListChange>, Error> {
    let repository = for_change(repository);
    let digest = &referrer.descriptor.digest;
    if repository.endpoint.may_list_referrers(&repository.name) {
        let listed = match list_by_api(&repository, subject, None).await {
            // Some servers refuse each path that they do not know.
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

/// Changes of one list that were made, and that other clients may undo.
pub(crate) struct ListChange {
    repository: RepositoryEndpoint,
    subject: Digest,
    changes: Vec<Change>,
    /// Holds the list that this process has seen last.
    turn: Turn,
    rounds: u32,
    writes: u32,
    wait: Duration,
    /// When the list is looked at again.
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

    /// Makes the change. `None`: the list has it already.
    async fn make(mut self) -> Result<Option<Self>, Error> {
        Ok((!self.attempt().await?).then_some(self))
    }

    /// Waits until others have written what they were about to write, and makes the changes again until they last.
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

    /// Reads the list, and writes it unless it has the changes. Returns whether it had them, and nobody else writes it.
    async fn attempt(&mut self) -> Result<bool, Error> {
        let (repository, subject) = (&self.repository, &self.subject);
        let mut last = self.turn.lock().await;
        let started = Instant::now();
        let index = tagged_index(repository, subject).await?;
        let index = index.unwrap_or_else(ReferrersIndex::empty);
        self.rounds += 1;
        if self.changes.iter().all(|change| change.is_in(&index)) {
            let found = Digest::of(&index.to_bytes(&what_tagged(repository, subject))?);
            // When the list is another one than this process has seen last, other clients write it too.
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
                // Others are writing: not all at the same time again.
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

/// Returns a random time between `wait` and twice of it.
fn jittered(wait: Duration) -> Duration {
    let delays = ConstantBuilder::default().with_delay(wait).with_jitter();
    delays.build().next().unwrap_or(wait)
}

/// Writes the list with the changes. Returns the digest of what was written, or `None` when another client wrote at the
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
    // Some registries take an index only if they have each manifest that it lists.
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
        // The tag names the list of another client already.
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
    let looked_for = index.referrers(what)?.into_iter();
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
