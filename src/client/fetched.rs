//! The result of a fetch.

use std::path::PathBuf;

use crate::archive::VerifiedClaims;
use crate::content::Digest;

use super::freshness::Freshness;

/// A verified executable in the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fetched {
    /// The path of the executable. It can be run as it is. Never write to it.
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
