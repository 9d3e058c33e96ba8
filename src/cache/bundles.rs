//! The Sigstore bundles that policies have accepted.
//!
//! A bundle is verified again each time, so that nothing is trusted because it is in the cache.

use crate::content::{AtomicFile, Digest};

use super::error::Error;
use super::files::read_file;
use super::open::Cache;

/// The largest bundle that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;

impl Cache {
    /// Keeps a bundle of `manifest` that a policy has accepted. `policy` is the digest of the demands of that policy.
    /// Blocks.
    pub(crate) fn keep_bundle(
        &self,
        manifest: &Digest,
        policy: &Digest,
        bundle: &[u8],
    ) -> Result<(), Error> {
        let path = self.paths.bundle(manifest, policy);
        self.paths.make_way(&path)?;
        AtomicFile::create_private(&path)
            .and_then(|file| file.commit_with(bundle))
            .map_err(Error::file(&path))
    }

    /// Returns the bundle of `manifest` that the policy has accepted. Ignores a file that is too large. Blocks.
    pub(crate) fn kept_bundle(
        &self,
        manifest: &Digest,
        policy: &Digest,
    ) -> Result<Option<Vec<u8>>, Error> {
        let path = self.paths.bundle(manifest, policy);
        read_file(&path, LIMIT).map_err(Error::file(&path))
    }
}
