//! Watch: reporting when a tag moves.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_util::stream;
use tracing::Instrument;

use crate::content::Digest;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;
use super::lookup::check_allowed;
use super::options::PullPolicy;
use super::outcomes::Outcomes;
use super::require::require_name;

/// The shortest time between two requests.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long a request may wait for a registry that does not answer. Then it fails, and the next request tries again.
const PATIENCE: Duration = Duration::from_secs(10);
/// The divisor of the interval for the longest extension of a wait: a tenth.
const JITTER: u32 = 10;

/// A tag names another manifest than before, or is seen for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// The reference that is watched.
    pub reference: Reference,
    /// The digest of the manifest, or of the image index, that the tag named before. `None`: this is the first
    /// answer.
    pub from: Option<Digest>,
    /// The digest that it names now.
    pub to: Digest,
}

impl Client {
    /// Watches which manifest `reference` stands for. The first result is the present manifest. Each further result is
    /// a move of the tag to another manifest. Nothing is downloaded: call [`fetch`](Self::fetch) after a move. A fetch by
    /// the tag may give the manifest from before the move: it may share a fetch that began earlier, and
    /// [`PullPolicy::Missing`] uses the cache. A fetch of [`Reference::with_digest`] with [`Moved::to`] gives the new
    /// manifest, but compares no revisions.
    ///
    /// The registry is asked at once, and then again `interval` after each answer. A request is one HEAD with the known
    /// digest, to which a registry can answer "not modified". Each wait is extended at random by up to a tenth, so that
    /// many hosts do not ask at the same moment. An interval below 0.1 seconds counts as 0.1 seconds. A move that is
    /// undone before the next request is not noticed.
    ///
    /// An error is a result, and the watch continues. When the registry answers again with the known manifest, there is no
    /// result. A registry that does not answer for 10 seconds is one error in
    /// each interval. A reference with a digest never moves: the results end after its manifest. A reference with
    /// neither a tag nor a digest has one result, [`Error::Unnamed`]. With [`PullPolicy::Never`], the cache is asked
    /// instead of the registry. A [`Lock`](super::Lock) has no effect on watching.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use wasmcloud_par::{Client, Reference, Target};
    ///
    /// async fn follow(client: &Client, reference: &Reference) {
    ///     let mut moves = client.watch(reference, Duration::from_secs(30));
    ///     while let Some(moved) = moves.next().await {
    ///         match moved {
    ///             Ok(moved) => println!("{} is {}", moved.reference, moved.to),
    ///             Err(error) => println!("{reference} is not known: {error}"),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn watch(
        &self,
        reference: &Reference,
        interval: Duration,
    ) -> Outcomes<Result<Moved, Error>> {
        let watch = Watch {
            client: self.clone(),
            reference: reference.clone(),
            interval: interval.max(SHORTEST),
            known: None,
            next: Next::AtOnce,
        };
        Outcomes::new(stream::unfold(watch, |mut watch| async {
            let moved = watch.next().await?;
            Some((moved, watch))
        }))
    }
}

/// When to ask again.
enum Next {
    AtOnce,
    AfterInterval,
    Never,
}

struct Watch {
    client: Client,
    reference: Reference,
    interval: Duration,
    known: Option<Digest>,
    next: Next,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<Moved, Error>> {
        loop {
            match self.next {
                Next::AtOnce => {}
                Next::AfterInterval => tokio::time::sleep(extended(self.interval)).await,
                Next::Never => return None,
            }
            self.next = Next::AfterInterval;
            let span = tracing::info_span!("watch", reference = %self.reference);
            let to = match self.ask().instrument(span).await {
                Ok(Some(to)) if self.known.as_ref() != Some(&to) => to,
                Ok(_) => continue,
                Err(error) => {
                    if matches!(error, Error::Unnamed(_)) {
                        self.next = Next::Never;
                    }
                    return Some(Err(error));
                }
            };
            if self.reference.digest().is_some() {
                self.next = Next::Never;
            }
            return Some(Ok(Moved {
                reference: self.reference.clone(),
                from: self.known.replace(to.clone()),
                to,
            }));
        }
    }

    /// Returns the digest that the reference stands for now, or `None` if it has not changed.
    async fn ask(&self) -> Result<Option<Digest>, Error> {
        let reference = match &self.reference {
            Reference::Registry(place) if self.client.pull != PullPolicy::Never => place,
            _ => return Ok(Some(self.client.resolve(&self.reference).await?.digest)),
        };
        let repository = self.client.registries.repository(reference);
        let repository = repository.with_patience(PATIENCE);
        check_allowed(&self.client, &self.reference)?;
        let name = require_name(&self.reference)?.to_string();
        let found = repository.resolve_changed(&name, self.known.as_ref());
        Ok(found.await?)
    }
}

/// Returns `interval`, extended at random.
fn extended(interval: Duration) -> Duration {
    // Each `RandomState` has random keys, so the hash is a random number.
    let random = u32::from(RandomState::new().hash_one(interval).to_le_bytes()[0]);
    let most = interval / JITTER;
    interval.saturating_add(most.saturating_mul(random) / 255)
}

#[cfg(test)]
#[path = "tests/watch.rs"]
mod tests;
