//! The first bytes of archives whose manifests do not describe them.
//!
//! Nothing binds these bytes to the digest of the manifest. They are as reliable as the tag, because the same
//! registry has served both, and so they are kept and used for that tag only.

use std::time::SystemTime;

use crate::content::{AtomicFile, Digest, open_regular, read_bounded};

use super::error::Error;
use super::lookup::note_use;
use super::open::Cache;

/// The largest file that is read, in bytes.
const HEAD_LIMIT: u64 = 128 * 1024;

impl Cache {
    /// Keeps `head`, the first bytes of the archive in the manifest `manifest`, which the tag
    /// `registry/repository:tag` names now.
    pub(crate) fn keep_head(
        &self,
        name: &str,
        manifest: &Digest,
        head: &[u8],
    ) -> Result<(), Error> {
        let path = self.paths.head(name)?;
        self.paths.create_parent(&path)?;
        let content = [format!("{manifest}\n").as_bytes(), head].concat();
        AtomicFile::create(&path)
            .and_then(|file| file.commit_with(&content))
            .map_err(Error::file(&path))
    }

    /// Returns the first bytes that were kept for `registry/repository:tag` and this manifest, and notes the
    /// use.
    pub(crate) fn head(&self, name: &str, manifest: &Digest) -> Option<Vec<u8>> {
        let path = self.paths.head(name).ok()?;
        let (file, _) = open_regular(&path).ok()?;
        let kept = read_bounded(&file, HEAD_LIMIT).ok()?;
        note_use(&file, &path, SystemTime::now());
        let head = kept.strip_prefix(format!("{manifest}\n").as_bytes())?;
        Some(head.to_vec())
    }
}

#[cfg(test)]
#[path = "tests/heads.rs"]
mod tests;
