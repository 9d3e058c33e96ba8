//! What a registry has just said of a tag, and when that is written down.
//!
//! Not before it can be served, and by who uses it: whoever starts without the registry gets what is
//! recorded. An update that breaks off, that is refused, or that somebody has only looked at must not take
//! away what was there before.

use std::time::SystemTime;

use crate::cache::{self, Record};
use crate::content::{Descriptor, Digest, with_causes};
use crate::oci::{Artifact, Reference};

use super::error::Error;
use super::{Client, blocking, layout_folder, record_name};

/// What a registry has just said of a tag.
#[derive(Debug, Clone)]
pub(super) struct Confirmed {
    name: String,
    record: Record,
    /// Whether something else is recorded.
    pub(super) moved: bool,
}

/// How the archive begins that a tag stands for, when a registry has just said so.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) manifest: Digest,
    pub(super) bytes: Vec<u8>,
}

impl Client {
    /// What is to be recorded of the tag of `reference`, which has just been confirmed, `at` that time. `None`
    /// for a digest: it stands for one thing only.
    pub(super) async fn confirmed(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        artifact: &Artifact,
        at: SystemTime,
    ) -> Result<Option<Confirmed>, Error> {
        let Some(name) = record_name(reference).filter(|_| reference.digest().is_none()) else {
            return Ok(None);
        };
        let record = Record {
            layout: layout_folder(reference),
            ..Record::new(descriptor, Some(artifact.size()), at)
        };
        let before = self.recorded(name.clone()).await?;
        let before = before.map(|record| record.descriptor.digest);
        let moved = before.filter(|before| *before != descriptor.digest);
        if let Some(from) = &moved {
            let to = &descriptor.digest;
            tracing::warn!(%name, %from, %to, "the tag of {reference} has moved: from {from} to {to}");
        }
        Ok(Some(Confirmed {
            name,
            record,
            moved: moved.is_some(),
        }))
    }

    /// What is recorded under `name`.
    pub(super) async fn recorded(&self, name: String) -> Result<Option<Record>, Error> {
        let client = self.clone();
        blocking(move || match client.cache()?.recorded(&name) {
            Ok(record) => Ok(Some(record)),
            Err(cache::Error::NoReference(_)) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await
    }

    /// Writes down what a registry has said, now that it can be served. Who only reads the cache can do
    /// without.
    pub(super) async fn record(&self, confirmed: Option<Confirmed>, head: Option<Head>) {
        let client = self.clone();
        let written = blocking(move || {
            let cache = client.cache()?;
            if let Some(head) = head {
                cache.keep_head(&head.name, &head.manifest, &head.bytes)?;
            }
            if let Some(Confirmed { name, record, .. }) = confirmed {
                cache.record(&name, &record)?;
            }
            Ok(())
        });
        if let Err(error) = written.await {
            tracing::warn!(
                "what the tag stands for is not recorded: {}",
                with_causes(&error)
            );
        }
    }
}
