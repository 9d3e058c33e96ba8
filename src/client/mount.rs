//! Remembering where content is, so that a registry can take it over from one repository into another
//! instead of getting it again.

use async_trait::async_trait;

use crate::content::{Descriptor, Digest, Reader, Source, StoreError};
use crate::oci::Reference;

use super::error::Error;
use super::{Client, blocking};

impl Client {
    /// Remembers that the repository of `reference` has these layers.
    pub(super) async fn remember(&self, reference: &Reference, layers: &[Descriptor]) {
        let Some((registry, repository)) = repository(reference) else {
            return;
        };
        let place = format!("{registry}/{repository}");
        let (client, layers) = (self.clone(), layers.to_vec());
        let noted = blocking(move || {
            let cache = client.cache()?;
            for layer in layers {
                cache.note_place(&layer.digest, &place)?;
            }
            Ok(())
        });
        // It only saves time: nothing fails because of it.
        if let Err(error) = noted.await {
            tracing::debug!(%error, "{reference} is not remembered");
        }
    }

    /// Another repository in the registry of `reference` that had this content when it was last seen.
    pub(super) async fn neighbour(&self, reference: &Reference, digest: &Digest) -> Option<String> {
        let (registry, repository) = repository(reference)?;
        let digest = digest.clone();
        let known = self.blocking(move |client| Ok(client.cache()?.places(&digest)));
        let unknown = |error: &Error| tracing::debug!(%error, "neighbours are not known");
        let places = known.await.inspect_err(unknown).unwrap_or_default();
        let mut others = places.into_iter().filter(|place| {
            let name = place.strip_prefix(registry);
            let name = name.and_then(|name| name.strip_prefix('/'));
            name.is_some_and(|name| name != repository)
        });
        others.next()
    }
}

fn repository(reference: &Reference) -> Option<(&str, &str)> {
    match reference {
        Reference::Registry(place) => Some((place.registry(), place.repository())),
        Reference::Layout(_) => None,
    }
}

/// Content that a neighbouring repository may have too.
pub(super) struct Neighbouring<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) place: Option<String>,
}

#[async_trait]
impl Source for Neighbouring<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        self.source.open(offset).await
    }

    fn place(&self) -> Option<String> {
        self.place.clone()
    }
}
