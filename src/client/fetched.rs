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
    /// The path of the executable, which can be run. The file name has the provider's name and the target, if the file
    /// system allows it. Never write to the file.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The verified claims of the archive, with its issuer and its subject.
    pub claims: VerifiedClaims,
    /// Whether the executable was in the cache already.
    pub cached: bool,
    /// How many bytes of the archive were requested. This is less than the size of the archive when only the bytes of
    /// one executable were requested, and 0 when everything was in the cache. Calls that share one fetch all return its
    /// number.
    pub downloaded: u64,
    /// When it was confirmed that the reference stands for this manifest.
    pub freshness: Freshness,
}

impl Fetched {
    /// Keeps the executable from being pruned, by this process and by others, until the lease is dropped or this
    /// process ends. Without a lease it is kept for an hour after its last fetch, unless
    /// [everything](crate::cache::PruneOptions::all) is pruned. A running executable needs no lease to continue. A
    /// lease lets it be started again.
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] with [`NoExecutable`](crate::cache::Error::NoExecutable) when the executable was pruned before
    /// this call. Fetch it again then.
    pub fn lease(&self) -> Result<Lease, Error> {
        Ok(Lease::of(&self.path)?)
    }
}
