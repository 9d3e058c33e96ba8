//! The only code that knows where things are on disk.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};

use crate::content::{Digest, create_private_folder};

use super::error::Error;

/// Changes whenever the files inside change their meaning, so that old and new programs never read
/// each other's.
const VERSION: &str = "v1";
/// Who a repository is pinned to, and what is locked while that changes. Neither is a valid part of a
/// repository's name, as `_tags` is none.
pub(super) const IDENTITY: &str = "_identity";
pub(super) const LOCK: &str = "_lock";

#[derive(Debug)]
pub(super) struct Paths {
    root: PathBuf,
}

impl Paths {
    pub(super) fn create(directory: Option<&Path>) -> Result<Self, Error> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => Xdg::new()
                .map_err(|_| Error::NoDirectory)?
                .cache_dir()
                .join("wasmcloud-par"),
        };
        // Executables are handed out by their path: it has to hold wherever the caller goes.
        let root = std::path::absolute(&directory)
            .map_err(Error::file(&directory))?
            .join(VERSION);
        create_private_folder(&root).map_err(Error::file(&root))?;
        Ok(Self { root })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.addressed("blobs", digest)
    }

    pub(super) fn executable(&self, digest: &Digest) -> PathBuf {
        self.addressed("executables", digest)
    }

    pub(super) fn partial(&self, digest: &Digest) -> PathBuf {
        self.addressed("partial", digest)
    }

    pub(super) fn places(&self, digest: &Digest) -> PathBuf {
        self.addressed("places", digest)
    }

    fn addressed(&self, kind: &str, digest: &Digest) -> PathBuf {
        self.root
            .join(kind)
            .join(digest.algorithm().name())
            .join(digest.hex())
    }

    /// The record of `registry/repository:tag`. `_tags` is no valid part of a repository's name, so a
    /// tag never collides with a repository.
    pub(super) fn reference(&self, name: &str) -> Result<PathBuf, Error> {
        self.tagged("references", name)
    }

    /// How the archive begins that `registry/repository:tag` points to.
    pub(super) fn head(&self, name: &str) -> Result<PathBuf, Error> {
        self.tagged("heads", name)
    }

    fn tagged(&self, kind: &str, name: &str) -> Result<PathBuf, Error> {
        let malformed = || Error::MalformedName(name.to_owned());
        let (place, tag) = name.rsplit_once(':').ok_or_else(malformed)?;
        let mut path = self.root.join(kind);
        for part in place.split('/') {
            path.push(safe(part).ok_or_else(malformed)?);
        }
        Ok(path.join("_tags").join(safe(tag).ok_or_else(malformed)?))
    }

    pub(super) fn identities(&self) -> PathBuf {
        self.root.join("identities")
    }

    /// The file of who `registry/repository` is pinned to.
    pub(super) fn identity(&self, place: &str) -> Result<PathBuf, Error> {
        // Tags may be called so, repositories not.
        let own = |part: &&str| [IDENTITY, LOCK].contains(part);
        let part = |part| safe(part).filter(|part| !own(part));
        let parts: Option<PathBuf> = place.split('/').map(part).collect();
        let place = parts.ok_or_else(|| Error::MalformedName(place.to_owned()))?;
        Ok(self.identities().join(place).join(IDENTITY))
    }

    pub(super) fn create_parent(&self, path: &Path) -> Result<(), Error> {
        match path.parent() {
            Some(parent) => create_private_folder(parent).map_err(Error::file(parent)),
            None => Ok(()),
        }
    }
}

/// A part of a reference that is safe as a file's name: the characters that the OCI distribution
/// specification allows in registries, repositories and tags, and no `..`.
pub(super) fn safe(part: &str) -> Option<&str> {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '[' | ']');
    let special = part.is_empty() || part == "." || part == ".." || part == "_tags";
    (!special && part.chars().all(allowed)).then_some(part)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn paths(folder: &tempfile::TempDir) -> Paths {
        Paths::create(Some(folder.path())).unwrap()
    }

    #[test]
    fn tags_and_repositories_never_share_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let paths = paths(&folder);
        let names = [
            "ghcr.io/org/provider:v1",
            "ghcr.io/org:provider",
            "ghcr.io/org/provider/v1:v1",
            "localhost:5000/org/provider:v1",
            "localhost/org_provider:v1",
        ];
        let places: Vec<PathBuf> = names
            .iter()
            .map(|name| paths.reference(name).unwrap())
            .collect();
        for (index, place) in places.iter().enumerate() {
            for other in places.iter().skip(index + 1) {
                assert!(!place.starts_with(other) && !other.starts_with(place));
            }
        }
    }

    #[test]
    fn names_that_would_leave_the_cache_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let paths = paths(&folder);
        for name in [
            "no-tag",
            "ghcr.io/../../etc/passwd:v1",
            "ghcr.io//x:v1",
            "/etc/passwd:v1",
            "ghcr.io/x:..",
            "ghcr.io/_tags/x:v1",
            "ghcr.io/x:a\\b",
        ] {
            assert!(paths.reference(name).is_err(), "{name}");
        }
        assert!(paths.reference("ghcr.io/x:_lock").is_ok());
        for place in ["", "ghcr.io/..", "/etc", "ghcr.io/_identity", "x/_lock/y"] {
            assert!(paths.identity(place).is_err(), "{place}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_cache_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let paths = paths(&folder);
        let mode = fs::metadata(paths.root()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
