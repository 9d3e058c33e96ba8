//! Records that only save requests.
//!
//! - *Heads*: the first bytes of archives whose manifests do not describe them. The digest of the manifest does not
//!   cover these bytes. They are as reliable as the tag, because the same registry served both. So they are kept and
//!   used only for that tag.
//! - *Places*: repositories in which content was seen. Their registry can mount the content into another repository.

use crate::content::{AtomicFile, Digest, read_bounded};

use super::error::Error;
use super::files::{open_file, read_file};
use super::last_use::note_use;
use super::open::Cache;
use super::paths::safe;

/// The largest file with a head that is read, in bytes.
const HEAD_LIMIT: u64 = 128 * 1024;

/// The most repositories that are remembered for one blob.
const REPOSITORY_LIMIT: usize = 8;
/// The longest name that is remembered, in bytes. In OCI registries, names of repositories have at most 255 bytes.
const NAME_LIMIT: usize = 512;

impl Cache {
    /// Keeps `head`, the first bytes of the archive of `manifest`. `name` is the tag that names this manifest now, as
    /// `registry/repository:tag`.
    pub(crate) fn keep_head(
        &self,
        name: &str,
        manifest: &Digest,
        head: &[u8],
    ) -> Result<(), Error> {
        let path = self.paths.head(name)?;
        self.paths.make_way(&path)?;
        let content = [format!("{manifest}\n").as_bytes(), head].concat();
        AtomicFile::create(&path)
            .and_then(|file| file.commit_with(&content))
            .map_err(Error::file(&path))
    }

    /// Returns the first bytes that were kept for the tag `name` (`registry/repository:tag`) and this manifest, and
    /// records the use.
    pub(crate) fn head(&self, name: &str, manifest: &Digest) -> Option<Vec<u8>> {
        let path = self.paths.head(name).ok()?;
        let file = open_file(&path).ok()??;
        let kept = read_bounded(&file, HEAD_LIMIT).ok()?;
        note_use(&file, &path);
        let head = kept.strip_prefix(format!("{manifest}\n").as_bytes())?;
        Some(head.to_vec())
    }

    /// Returns at most 8 repositories (`registry/repository`) in which the content of `digest` was seen, the latest
    /// first. The content may have been deleted there since. Leaves out damaged lines. Blocks.
    pub(crate) fn places(&self, digest: &Digest) -> Vec<String> {
        let limit = REPOSITORY_LIMIT * (NAME_LIMIT + 1);
        let read = read_file(&self.paths.places(digest), limit as u64);
        let text = read
            .ok()
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.unwrap_or_default();
        let places = text.lines().filter(|line| is_place(line));
        places.take(REPOSITORY_LIMIT).map(str::to_owned).collect()
    }

    /// Remembers that the content of `digest` was seen in the repository `place` (`registry/repository`).
    /// Blocks.
    pub(crate) fn note_place(&self, digest: &Digest, place: &str) -> Result<(), Error> {
        if !is_place(place) {
            return Err(Error::MalformedName(place.to_owned()));
        }
        let mut places = self.places(digest);
        if places.first().is_some_and(|newest| newest == place) {
            return Ok(());
        }
        places.retain(|known| known != place);
        places.insert(0, place.to_owned());
        places.truncate(REPOSITORY_LIMIT);
        let path = self.paths.places(digest);
        self.paths.make_way(&path)?;
        AtomicFile::create_private(&path)
            .and_then(|file| file.commit_with((places.join("\n") + "\n").as_bytes()))
            .map_err(Error::file(&path))
    }
}

/// Whether `text` has the form of `registry/repository`.
fn is_place(text: &str) -> bool {
    text.len() <= NAME_LIMIT
        && text.contains('/')
        && text.split('/').all(|part| safe(part).is_some())
}

#[cfg(test)]
#[path = "tests/hints.rs"]
mod tests;
