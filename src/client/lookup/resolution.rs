//! Which manifest a reference stands for.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::cache::Record;
use crate::content::{
    Descriptor, ErrorKind, ManifestName, ReadStorage, Resolve, StoreError, with_causes,
};
use crate::oci::{self, Reference};

use super::super::blocking::blocking;
use super::super::client::{Client, Turn};
use super::super::error::Error;
use super::super::freshness::Freshness;
use super::super::options::PullPolicy;
use super::super::require::require_name;
use super::manifest::cached_manifest;
use super::no_answer::{known_no_answer, note_answer};
use super::record::usable_record;

/// How long the client waits for a registry's answer about a tag that the cache can resolve too. A host that starts
/// while its registry is unavailable must not wait as long as a transfer may take.
pub(in crate::client) const OFFLINE_WAIT: Duration = Duration::from_secs(5);

/// The manifest, or the image index, that a reference stands for.
pub(in crate::client) struct Resolution {
    pub(in crate::client) descriptor: Descriptor,
    /// The verified bytes, if the store has sent them with its answer.
    pub(super) manifest: Option<Bytes>,
    /// When the answer was confirmed.
    pub(super) freshness: Freshness,
    /// Whether the registry or the layout has answered.
    pub(super) answered: bool,
}

impl Resolution {
    /// Resolves `reference` with the cache, with `store`, or with both, as the pull policy of `client` demands.
    ///
    /// Reading the cache or an image layout takes a turn of the client. Waiting for a registry takes none: many
    /// references wait for an unavailable registry at the same time. The caller must not hold a turn.
    pub(in crate::client) async fn new(
        client: &Client,
        store: &dyn ReadStorage,
        reference: &Reference,
    ) -> Result<Self, Error> {
        let name = require_name(reference)?;
        let turn = client.turn().await;
        let record = match reference.digest() {
            Some(digest) => match cached_manifest(client, digest).await? {
                Some(descriptor) => {
                    client.registries.note_cached(false);
                    return Ok(Self::fixed(descriptor));
                }
                None => None,
            },
            None => usable_record(client, reference).await?,
        };
        let turn = match reference {
            Reference::Registry(_) => {
                drop(turn);
                None
            }
            Reference::Layout(_) => Some(turn),
        };
        match (record, client.pull) {
            (None, PullPolicy::Never) => Err(Error::NotCached(reference.to_string())),
            (None, _) => {
                let (descriptor, manifest) =
                    receive_manifest(client, store, &name, reference, turn).await?;
                let resolution = match reference.digest() {
                    Some(_) => Self::fixed(descriptor),
                    None => Self::confirmed(descriptor),
                };
                Ok(Self {
                    manifest: Some(manifest),
                    answered: true,
                    ..resolution
                })
            }
            (Some(_), PullPolicy::Always) => {
                let answer = store.resolve(&name).await;
                if let Reference::Registry(place) = reference {
                    note_answer(client, place.registry(), &answer).await;
                }
                Ok(Self::confirmed(answer?))
            }
            (Some(record), PullPolicy::Never) => Ok(Self::from_cache(client, record)),
            (Some(record), PullPolicy::Missing { max_age }) if is_fresh(&record, max_age) => {
                Ok(Self::from_cache(client, record))
            }
            (Some(record), PullPolicy::Missing { .. } | PullPolicy::Newer) => {
                resolve_or_recall(client, store, &name, reference, record).await
            }
        }
    }

    fn confirmed(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            manifest: None,
            freshness: Freshness::Confirmed {
                at: SystemTime::now(),
            },
            answered: true,
        }
    }

    /// Returns the recorded answer, for a reference about which the registry was not asked.
    fn from_cache(client: &Client, record: Record) -> Self {
        client.registries.note_cached(false);
        Self {
            descriptor: record.descriptor,
            manifest: None,
            freshness: Freshness::Cached {
                confirmed: record.confirmed,
            },
            answered: false,
        }
    }

    fn fixed(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            manifest: None,
            freshness: Freshness::Fixed,
            answered: false,
        }
    }
}

/// Asks the store what `name` stands for. When it is unavailable, returns the recorded answer.
async fn resolve_or_recall(
    client: &Client,
    store: &dyn ReadStorage,
    name: &ManifestName,
    reference: &Reference,
    record: Record,
) -> Result<Resolution, Error> {
    let (answer, patience) = match reference {
        Reference::Registry(place) => {
            if let Some(reason) = known_no_answer(client, place.registry()).await {
                let reason = format!("the registry did not answer some seconds ago: {reason}");
                return Ok(recall(client, reference, record, reason));
            }
            let repository = client
                .registries
                .repository(place)
                .with_patience(OFFLINE_WAIT);
            let answer = repository.resolve(name).await;
            note_answer(client, place.registry(), &answer).await;
            (answer, repository.patience())
        }
        Reference::Layout(_) => (store.resolve(name).await, OFFLINE_WAIT),
    };
    let error = match answer {
        Ok(descriptor) => return Ok(Resolution::confirmed(descriptor)),
        Err(error) if is_outage(&error) => error,
        Err(error) if error.kind() == ErrorKind::Denied => {
            // The registry has answered, but has not said whether the tag has moved.
            if !allows_denied(client, reference).await? {
                return Err(Error::DeniedButCached {
                    reference: reference.to_string(),
                    digest: record.descriptor.digest,
                    source: error,
                });
            }
            error
        }
        // Another answer, such as "not found", is about the tag, so the record is out of date.
        Err(error) => return Err(error.into()),
    };
    let reason = match error.downcast_ref() {
        Some(error) => reason(error, patience),
        None => with_causes(&error),
    };
    Ok(recall(client, reference, record, reason))
}

/// Returns the recorded answer about `reference`, and logs a warning.
fn recall(client: &Client, reference: &Reference, record: Record, reason: String) -> Resolution {
    let since = humantime::format_rfc3339_seconds(record.confirmed);
    tracing::warn!(
        "{reference} is unconfirmed since {since}; using the manifest that it named then, {}: {reason}",
        record.descriptor.digest
    );
    client.registries.note_cached(true);
    Resolution {
        descriptor: record.descriptor,
        manifest: None,
        freshness: Freshness::Stale {
            confirmed: record.confirmed,
            reason,
        },
        answered: false,
    }
}

/// Returns whether the trust policy allows using the recorded answer although the registry denies access.
async fn allows_denied(client: &Client, reference: &Reference) -> Result<bool, Error> {
    let (client, reference) = (client.clone(), reference.clone());
    blocking(move || {
        let pin = match client.trust.place_of(&reference) {
            Some(place) => client.state()?.pin(&place)?,
            None => None,
        };
        Ok(client.trust.allows_denied(&reference, pin.is_some()))
    })
    .await
}

/// Returns whether the error says nothing about the content of the registry. A refusal by the registry's storage is not
/// such an error: the registry has answered before, with a redirect.
fn is_outage(error: &StoreError) -> bool {
    match error.downcast_ref::<oci::Error>() {
        Some(error) => error.is_out_of_reach() && !is_refused_by_storage(error),
        None => error.kind() == ErrorKind::Unavailable,
    }
}

fn is_refused_by_storage(error: &oci::Error) -> bool {
    use oci::Error::{GaveUp, NoMirrorEither, Refused};
    match error {
        GaveUp { last, .. } | NoMirrorEither { last, .. } => is_refused_by_storage(last),
        // A refusal by the registry itself is another variant.
        Refused { answer, .. } => matches!(answer.status, 401 | 403),
        _ => false,
    }
}

/// Asks the store what `name` stands for, without a recorded answer. Requests the manifest itself, which will be
/// needed, and so saves a request for its descriptor.
async fn receive_manifest(
    client: &Client,
    store: &dyn ReadStorage,
    name: &ManifestName,
    reference: &Reference,
    turn: Option<Turn>,
) -> Result<(Descriptor, Bytes), Error> {
    let answer = store.fetch_manifest(name).await;
    if let Reference::Registry(place) = reference {
        note_answer(client, place.registry(), &answer).await;
    }
    let (descriptor, manifest) = answer.map_err(|error| Error::giving(reference)(error.into()))?;
    let _turn = match turn {
        Some(turn) => turn,
        None => client.turn().await,
    };
    client.cache()?.keep(&descriptor, &manifest).await?;
    Ok((descriptor, manifest))
}

/// Returns on one line why a registry is unavailable.
fn reason(error: &oci::Error, patience: Duration) -> String {
    use oci::Error::{GaveUp, Interrupted, Stalled, Unreachable};
    match error {
        GaveUp { last, .. } => reason(last, patience),
        Unreachable { .. } | Interrupted { .. } | Stalled { .. } => {
            let seconds = patience.as_secs();
            format!("no answer within {seconds} seconds: {}", with_causes(error))
        }
        _ => with_causes(error),
    }
}

fn is_fresh(record: &Record, max_age: Option<Duration>) -> bool {
    let Some(max_age) = max_age else {
        return true;
    };
    // A time in the future comes from a clock that is wrong, or was: the age is not known.
    let age = SystemTime::now().duration_since(record.confirmed);
    age.is_ok_and(|age| age <= max_age)
}

#[cfg(test)]
#[path = "tests/resolution.rs"]
mod tests;
