//! Fetch: from a reference to the path of a verified executable.

use std::path::PathBuf;

use crate::archive::{Target, VerifiedClaims};
use crate::cache::Cache;
use crate::content::Digest;
use crate::oci::{Artifact, Reference};

use super::error::Error;
use super::{Access, Client, blocking};

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
    /// The executable for `target` of the provider that `reference` stands for now.
    ///
    /// A tag is asked for each time, so one that was moved is noticed; what has not changed is not
    /// downloaded again. Any number of tasks and processes may fetch at once. The first fetch from a
    /// repository pins it to who published there, unless the trust policy says otherwise.
    ///
    /// An archive that was pushed with its claims and its index on the manifest, as [`push`](Self::push)
    /// does for one that [carries an index](crate::archive::Index), is not downloaded as a whole: the
    /// claims are verified and trusted before anything is downloaded, then the bytes of this one
    /// executable are, and it is handed out once it has the hash that the claims sign. Nothing is known
    /// of what else the archive holds then. Who signed the claims on the manifest is who published the
    /// executable, even if the archive had others inside.
    ///
    /// Without such claims, those at the start of the archive are used if `reference` is a tag; one that
    /// is pinned by a digest accepts nothing but what that digest binds. In every other case, and when
    /// anything is not as it should be, the whole archive is downloaded and verified.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    pub async fn fetch(&self, reference: &Reference, target: &Target) -> Result<Fetched, Error> {
        let store = self.store(reference, Access::Read)?;
        let store = store.as_ref();
        let artifact = self.artifact(store, reference).await?;
        if let Some(fetched) = self
            .fetch_alone(store, &artifact, reference, target)
            .await?
        {
            return Ok(fetched);
        }
        let downloaded = self.missing(&artifact);
        let cached = self.whole(store, artifact).await?;
        let digest = cached.artifact.descriptor().digest.clone();
        let name = reference.to_string();
        let (client, place) = (self.clone(), reference.clone());
        let wanted = target.clone();
        let (cached, claims, hash) = blocking(move || {
            let claims = cached.claims(&name, &client.limits)?;
            client.trusted(&place, &claims)?;
            let hash = claims
                .executable(&wanted)
                .map_err(|source| Error::unusable(&name, source))?
                .clone();
            Ok((cached, claims, hash))
        })
        .await?;
        // Under the name of a signed hash there is nothing but what has that hash.
        if let Some(path) = self.cache.executable(&hash) {
            self.pin(reference, &claims).await?;
            return Ok(Fetched {
                path,
                digest,
                claims,
                cached: true,
                downloaded,
            });
        }
        let path = self.cache.executable_destination(&hash)?;
        let mode = Cache::EXECUTABLE_MODE;
        self.extracted(cached, reference, target, path.clone(), mode)
            .await?;
        self.pin(reference, &claims).await?;
        Ok(Fetched {
            path,
            digest,
            claims,
            cached: false,
            downloaded,
        })
    }

    /// How many bytes of the archive are not in the cache.
    pub(super) fn missing(&self, artifact: &Artifact) -> u64 {
        let layers = artifact.layers().iter();
        let missing = layers.filter(|layer| self.cache.blob(&layer.digest).is_none());
        missing.map(|layer| layer.size).sum()
    }
}
