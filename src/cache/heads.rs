//! How the archive begins that a tag points to, when its manifest says nothing of it.
//!
//! It is what the registry itself has served for this tag, as the tag itself is: nothing binds it to the
//! digest of the manifest, and so it is kept by tag, and is nobody else's.

use std::io::Write;
use std::time::SystemTime;

use crate::content::{AtomicFile, Digest, open_regular, read_bounded};

use super::Cache;
use super::content::note_use;
use super::error::Error;

/// Larger ones are not read, in bytes.
const LONGEST: u64 = 128 * 1024;

impl Cache {
    /// Keeps `head`, the first bytes of the archive that `manifest` names and `registry/repository:tag`
    /// points to now.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::File`].
    pub(crate) fn keep_head(
        &self,
        name: &str,
        manifest: &Digest,
        head: &[u8],
    ) -> Result<(), Error> {
        let path = self.paths.head(name)?;
        self.paths.create_parent(&path)?;
        let written = AtomicFile::create(&path).and_then(|mut file| {
            writeln!(file, "{manifest}")?;
            file.write_all(head)?;
            file.commit()
        });
        written.map(drop).map_err(Error::file(&path))
    }

    /// What was kept for `registry/repository:tag`, if it was for this manifest. It is noted as used.
    pub(crate) fn head(&self, name: &str, manifest: &Digest) -> Option<Vec<u8>> {
        let path = self.paths.head(name).ok()?;
        let (file, _) = open_regular(&path).ok()?;
        let kept = read_bounded(&file, LONGEST).ok()?;
        note_use(&file, &path, SystemTime::now());
        let head = kept.strip_prefix(format!("{manifest}\n").as_bytes())?;
        Some(head.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::PruneOptions;
    use super::*;

    #[test]
    fn a_head_is_that_of_one_tag_and_one_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let [first, second] = [Digest::of(b"1"), Digest::of(b"2")];
        cache.keep_head("ghcr.io/x:1", &first, b"head\n").unwrap();
        assert_eq!(cache.head("ghcr.io/x:1", &first).unwrap(), b"head\n");
        assert_eq!(cache.head("ghcr.io/x:1", &second), None);
        assert_eq!(cache.head("ghcr.io/x:2", &first), None);
        assert!(cache.keep_head("ghcr.io/../x:1", &first, b"").is_err());
    }

    #[test]
    fn a_head_that_is_used_counts_as_used() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let manifest = Digest::of(b"1");
        cache.keep_head("ghcr.io/x:1", &manifest, b"head").unwrap();
        let path = cache.paths.head("ghcr.io/x:1").unwrap();
        let times = FileTimes::new()
            .set_accessed(UNIX_EPOCH)
            .set_modified(UNIX_EPOCH);
        File::open(path).unwrap().set_times(times).unwrap();
        let old = PruneOptions {
            max_age: Some(Duration::from_secs(60)),
            ..PruneOptions::default()
        };

        cache.head("ghcr.io/x:1", &manifest).unwrap();
        assert!(cache.prune(&old).unwrap().removed.is_empty());
    }
}
