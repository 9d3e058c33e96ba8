//! The result of a fetch.

use std::path::PathBuf;

use crate::archive::VerifiedClaims;
use crate::cache::Lease;
use crate::content::Digest;

use super::error::Error;
use super::freshness::Freshness;

/// A verified executable in the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fetched {
    /// The path of the executable, which ends with the provider's name and the target, as far as the file system allows.
    /// It can be run as it is. Never write to it.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The verified claims of the archive, with its issuer and its subject.
    pub claims: VerifiedClaims,
    /// Whether the executable was in the cache already.
    pub cached: bool,
    /// How many bytes of the archive were requested. This is less than its size when the bytes of one
    /// executable could be requested alone, and 0 when everything was in the cache.
    pub downloaded: u64,
    /// How recent the answer is to what the reference stands for.
    pub freshness: Freshness,
}

impl Fetched {
    /// Keeps the executable from being pruned, by this process and by others, until the lease is dropped or this
    /// process ends. Without a lease it is kept for an hour after its last fetch, unless
    /// [everything](crate::cache::PruneOptions::all) is pruned. A process that runs the executable needs no lease to
    /// continue, only to be started again.
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] with [`NoExecutable`](crate::cache::Error::NoExecutable) when the executable was pruned
    /// meanwhile: fetch it again.
    pub fn lease(&self) -> Result<Lease, Error> {
        Ok(Lease::of(&self.path)?)
    }
}
