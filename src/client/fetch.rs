//! Fetch: from a reference to the path of a verified executable.

use std::path::PathBuf;

use crate::archive::{Target, VerifiedClaims};
use crate::cache::Cache;
use crate::content::Digest;
use crate::oci::Reference;

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
}

impl Client {
    /// The executable for `target` of the provider that `reference` stands for now.
    ///
    /// A tag is asked for each time, so one that was moved is noticed; what has not changed is not
    /// downloaded again. Any number of tasks and processes may fetch at once. The first fetch from a
    /// repository pins it to who published there, unless the trust policy says otherwise.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    pub async fn fetch(&self, reference: &Reference, target: &Target) -> Result<Fetched, Error> {
        let cached = self.cached(reference).await?;
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
        })
    }
}
