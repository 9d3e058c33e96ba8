//! Fetch: from a reference to the path of a verified executable.

use std::path::PathBuf;

use crate::archive::{Target, VerifiedClaims};
use crate::cache::{Cache, Executable, Slot};
use crate::content::Digest;
use crate::oci::{Artifact, Reference};

use super::artifact::Cached;
use super::error::Error;
use super::{Client, blocking};

/// A verified executable in the cache.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The executable, which can be run as it is. Never write to it.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// Who published it, and which provider it is.
    pub claims: VerifiedClaims,
    /// Whether the executable was in the cache already.
    pub cached: bool,
    /// How many bytes of the archive were asked for: less than it has when the bytes of one executable
    /// could be had by themselves, and none when everything was in the cache.
    pub downloaded: u64,
}

impl Client {
    /// [`fetch`](Self::fetch), whoever else does the same.
    pub(super) async fn fetch_once(
        &self,
        reference: &Reference,
        target: &Target,
    ) -> Result<Fetched, Error> {
        let store = self.read_storage(reference).await?;
        let store = store.as_ref();
        let found = self.find(store, reference).await?;
        let by_range = self.fetch_by_range(store, &found, reference, target);
        if let Some(fetched) = by_range.await? {
            return Ok(fetched);
        }
        let downloaded = self.missing(&found.artifact).await?;
        let cached = self.whole(store, found, reference).await?;
        let confirmed = cached.confirmed.clone();
        let fetch = |cached| self.fetch_from(cached, reference, target);
        let fetched = self.repairing(cached, reference, fetch).await?;
        self.record(confirmed, None).await;
        Ok(Fetched {
            downloaded,
            ..fetched
        })
    }

    /// Fetches from an archive that is in the cache.
    async fn fetch_from(
        &self,
        cached: Cached,
        reference: &Reference,
        target: &Target,
    ) -> Result<Fetched, Error> {
        let digest = cached.artifact.descriptor().digest.clone();
        let name = reference.to_string();
        let (place, wanted) = (reference.clone(), target.clone());
        let claimed = self.blocking(move |client| {
            let claims = cached.claims(&name, &client.limits)?;
            client.accepted(&cached, &claims, &place)?;
            let hash = claims
                .executable(&wanted)
                .map_err(|source| Error::unusable(&name, source))?
                .clone();
            Ok((cached, claims, hash))
        });
        let (cached, claims, hash) = claimed.await?;
        // Under the name of a signed hash there is nothing but what has that hash.
        let (path, there) = match self.cache()?.executable_or_slot(&hash).await? {
            Executable::Ready(path) => (path, true),
            Executable::Missing(slot) => {
                let (path, mode) = (slot.destination().to_owned(), Cache::EXECUTABLE_MODE);
                self.extracted(cached, reference, target, path, mode)
                    .await
                    .map_err(Error::in_cache)?;
                (fill(slot).await?, false)
            }
        };
        self.pin(reference, &claims).await?;
        Ok(Fetched {
            path,
            digest,
            claims,
            cached: there,
            downloaded: 0,
        })
    }

    /// How many bytes of the archive are not in the cache.
    pub(super) async fn missing(&self, artifact: &Artifact) -> Result<u64, Error> {
        let mut missing = 0;
        for layer in artifact.layers() {
            if self.held(&layer.digest).await?.is_none() {
                missing += layer.size;
            }
        }
        Ok(missing)
    }
}

/// The executable is in its slot now. Gives its path.
async fn fill(slot: Slot) -> Result<PathBuf, Error> {
    blocking(move || Ok(slot.fill()?)).await
}
