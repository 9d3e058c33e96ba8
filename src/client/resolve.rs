//! Which manifest a reference stands for, and whom to ask.

use std::time::{Duration, SystemTime};

use crate::cache::Record;
use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, ReadStorage, Resolve, whole};
use crate::oci::{self, Reference, media_type};

use super::artifact::manifest_in;
use super::error::Error;
use super::{Client, record_name};

/// How long a registry may be silent or away when it is asked what a tag stands for, and the cache can answer
/// as well: a host that starts without its registry is not to wait for as long as a transfer may.
const OFFLINE_WAIT: Duration = Duration::from_secs(5);

/// When a registry is asked what a tag stands for.
///
/// A digest stands for one manifest for ever: nobody is asked when the cache holds it. Content is never
/// received twice, whatever the policy.
///
/// The names are those of Docker and Podman. `Always` fails without the registry, as `docker run
/// --pull=always`, `podman run --pull=always` and the kubelet's `Always` do; `Newer` goes on with what is
/// there, as `podman run --pull=newer` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PullPolicy {
    /// The registry is asked each time, and there is an error when it does not answer.
    Always,
    /// The registry is asked each time. When it is unavailable, and does not merely refuse, a tag stands
    /// for what it was last confirmed to stand for, with a warning.
    #[default]
    Newer,
    /// What the cache knows of a tag counts; only for what it does not know is the registry asked.
    Missing {
        /// For how long what the registry said counts; after that, as [`Newer`](Self::Newer). `None`:
        /// for ever.
        max_age: Option<Duration>,
    },
    /// Nobody is asked for anything: there is what the cache holds, or [`Error::NotCached`].
    Never,
}

/// What a reference stands for.
pub(super) struct Resolved {
    pub(super) descriptor: Descriptor,
    /// When a registry said so, if it did just now.
    pub(super) confirmed: Option<SystemTime>,
}

impl Client {
    /// Returns the descriptor of the manifest, or image index, that `reference` names now. Takes one
    /// request.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, or [`Error::Unnamed`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn resolve(&self, reference: &Reference) -> Result<Descriptor, Error> {
        let name = reference
            .name()
            .ok_or_else(|| Error::Unnamed(reference.to_string()))?;
        let storage = self.read_storage(reference).await?;
        Ok(storage.resolve(&name).await?)
    }

    /// The manifest that `reference` stands for, as far as the pull policy wants to know.
    pub(super) async fn stands_for(
        &self,
        store: &dyn ReadStorage,
        reference: &Reference,
    ) -> Result<Resolved, Error> {
        let name = reference
            .name()
            .ok_or_else(|| Error::Unnamed(reference.to_string()))?;
        let known = match reference.digest() {
            Some(digest) => self.known(digest).await?,
            None => None,
        };
        if let Some(descriptor) = known {
            return Ok(Resolved::from_cache(descriptor));
        }
        let record = match reference.digest() {
            Some(_) => None,
            None => self.usable_record(reference).await?,
        };
        let Some(record) = record else {
            return match self.pull {
                PullPolicy::Never => Err(Error::NotCached(reference.to_string())),
                _ => Ok(Resolved::confirmed(
                    self.receive_manifest(store, &name).await?,
                )),
            };
        };
        match self.pull {
            PullPolicy::Always => Ok(Resolved::confirmed(store.resolve(&name).await?)),
            PullPolicy::Never => Ok(Resolved::from_cache(record.descriptor)),
            PullPolicy::Missing { max_age } if is_fresh(&record, max_age) => {
                Ok(Resolved::from_cache(record.descriptor))
            }
            PullPolicy::Missing { .. } | PullPolicy::Newer => {
                self.resolve_or_recall(store, &name, reference, record)
                    .await
            }
        }
    }

    /// Asks for what `name` stands for. When nobody answers, it is what was confirmed before.
    async fn resolve_or_recall(
        &self,
        store: &dyn ReadStorage,
        name: &ManifestName,
        reference: &Reference,
        record: Record,
    ) -> Result<Resolved, Error> {
        let (asked, patience) = match reference {
            Reference::Registry(place) => {
                let repository = self.registries.repository(place).in_haste(OFFLINE_WAIT);
                (repository.resolve(name).await, repository.patience())
            }
            Reference::Layout(_) => (store.resolve(name).await, OFFLINE_WAIT),
        };
        let error = match asked {
            Ok(descriptor) => return Ok(Resolved::confirmed(descriptor)),
            Err(error) if error.kind() == ErrorKind::Unavailable => error,
            // It was answered: what was confirmed before does not hold any more.
            Err(error) => return Err(error.into()),
        };
        let reason = match error.downcast_ref() {
            Some(error) => reason(error, patience),
            None => whole(&error),
        };
        let since = humantime::format_rfc3339_seconds(record.confirmed);
        tracing::warn!(
            "{reference} is unconfirmed since {since}, and taken for what it stood for then, {}: {reason}",
            record.descriptor.digest
        );
        Ok(Resolved::from_cache(record.descriptor))
    }

    /// Receives the manifest that `name` names into the cache, which knows nothing of the name.
    async fn receive_manifest(
        &self,
        store: &dyn ReadStorage,
        name: &ManifestName,
    ) -> Result<Descriptor, Error> {
        let (descriptor, manifest) = store.fetch_manifest(name).await?;
        self.cache()?.receive(&descriptor, &manifest).await?;
        Ok(descriptor)
    }

    /// The descriptor of a manifest that the cache holds.
    pub(super) async fn known(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let Some(held) = self.held(digest).await? else {
            return Ok(None);
        };
        let bytes = manifest_in(held).await?;
        Ok(
            media_type::of_manifest(&bytes).map(|media_type| Descriptor {
                media_type,
                digest: digest.clone(),
                size: bytes.len() as u64,
            }),
        )
    }

    /// What is recorded of the tag of `reference`, when the manifest is in the cache too.
    pub(super) async fn usable_record(
        &self,
        reference: &Reference,
    ) -> Result<Option<Record>, Error> {
        let Some(name) = record_name(reference) else {
            return Ok(None);
        };
        let Some(record) = self.recorded(name).await? else {
            return Ok(None);
        };
        let known = self.known(&record.descriptor.digest).await?;
        Ok(known.map(|descriptor| Record {
            descriptor,
            ..record
        }))
    }
}

impl Resolved {
    fn confirmed(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            confirmed: Some(SystemTime::now()),
        }
    }

    fn from_cache(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            confirmed: None,
        }
    }
}

/// Why a registry could not be had, on one line.
fn reason(error: &oci::Error, patience: Duration) -> String {
    use oci::Error::{GaveUp, Interrupted, Stalled, Unreachable};
    match error {
        GaveUp { last, .. } => reason(last, patience),
        Unreachable { .. } | Interrupted { .. } | Stalled { .. } => {
            let seconds = patience.as_secs();
            format!("no answer within {seconds} seconds: {}", whole(error))
        }
        _ => whole(error),
    }
}

fn is_fresh(record: &Record, max_age: Option<Duration>) -> bool {
    let Some(max_age) = max_age else {
        return true;
    };
    // Confirmed in the future: a clock was wrong, then or now, and the age is not known.
    let age = SystemTime::now().duration_since(record.confirmed);
    age.is_ok_and(|age| age <= max_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_confirmed_in_the_future_is_not_fresh() {
        let confirmed = |seconds_ago: i64| {
            let age = Duration::from_secs(seconds_ago.unsigned_abs());
            let now = SystemTime::now();
            let confirmed = if seconds_ago < 0 {
                now + age
            } else {
                now - age
            };
            Record::new(&Descriptor::of("", b""), None, confirmed)
        };
        let minute = Some(Duration::from_secs(60));
        assert!(is_fresh(&confirmed(30), minute));
        assert!(!is_fresh(&confirmed(90), minute));
        assert!(!is_fresh(&confirmed(-90), minute));
        assert!(is_fresh(&confirmed(-90), None));
    }
}
