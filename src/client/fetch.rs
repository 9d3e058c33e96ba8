//! Fetch: from a reference to the path of a verified executable.

use std::path::PathBuf;

use crate::archive::{Target, VerifiedClaims};
use crate::cache::{Cache, Executable};
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
    /// [`fetch`](Self::fetch), whoever else does the same.
    pub(super) async fn fetch_alone(
        &self,
        reference: &Reference,
        target: &Target,
    ) -> Result<Fetched, Error> {
        let cached = self.cached(reference).await?;
        let digest = cached.artifact.descriptor().digest.clone();
        let name = reference.to_string();
        let client = self.clone();
        let wanted = target.clone();
        let (cached, claims, hash) = blocking(move || {
            let claims = cached.claims(&name, &client.limits)?;
            client.trust.check(&claims, &name)?;
            let hash = claims
                .executable(&wanted)
                .map_err(|source| Error::unusable(&name, source))?
                .clone();
            Ok((cached, claims, hash))
        })
        .await?;
        // Under the name of a signed hash there is nothing but what has that hash.
        let slot = match self.executable(&hash).await? {
            Executable::Ready(path) => {
                return Ok(Fetched {
                    path,
                    digest,
                    claims,
                    cached: true,
                });
            }
            Executable::Missing(slot) => slot,
        };
        let (path, mode) = (slot.destination().to_owned(), Cache::EXECUTABLE_MODE);
        self.extracted(cached, reference, target, path, mode)
            .await?;
        Ok(Fetched {
            path: slot.fill()?,
            digest,
            claims,
            cached: false,
        })
    }
}
