//! Registries without a referrers API, in which clients maintain the lists of referrers under tags.
//!
//! This only saves a request: it says where a list is looked for first.

use crate::content::AtomicFile;

use super::error::Error;
use super::files::remove;
use super::open::Cache;

impl Cache {
    /// Returns whether `registry` had no referrers API when it was asked last. Blocks.
    pub(crate) fn is_listed_by_clients(&self, registry: &str) -> bool {
        let path = self.paths.listed_by_clients(registry);
        path.is_ok_and(|path| path.is_file())
    }

    /// Records whether `registry` has no referrers API. Blocks.
    pub(crate) fn note_listed_by_clients(
        &self,
        registry: &str,
        by_clients: bool,
    ) -> Result<(), Error> {
        let path = self.paths.listed_by_clients(registry)?;
        let noted = if by_clients {
            self.paths.make_way(&path)?;
            AtomicFile::create_private(&path).and_then(|file| file.commit_with(b""))
        } else {
            remove(&path).map(drop)
        };
        noted.map_err(Error::file(&path))
    }
}

#[cfg(test)]
#[path = "tests/listed_by_clients.rs"]
mod tests;
