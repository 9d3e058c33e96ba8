//! The only code that knows where things are on disk.

use std::path::{Path, PathBuf};

use crate::content::{Digest, create_private_folder, is_temporary, user_folder};

use super::content::Kind;
use super::error::Error;
#[cfg(unix)]
use super::private::require_private;

/// Changes whenever the files inside change their meaning, so that old and new programs never read
/// each other's.
const VERSION: &str = "v1";
/// Who a repository is pinned to, and what is locked while that changes. Neither is a valid part of a
/// repository's name, as `_tags` is none.
pub(super) const IDENTITY: &str = "_identity";
pub(super) const LOCK: &str = "_lock";

const REFERENCES: &str = "references";
const IDENTITIES: &str = "identities";
const HEADS: &str = "heads";
const PLACES: &str = "places";
const TAGS: &str = "_tags";
const UNFINISHED: &str = "partial";

/// What is in a cache.
const FOLDERS: [&str; 7] = [
    Kind::Blob.folder(),
    Kind::Executable.folder(),
    REFERENCES,
    IDENTITIES,
    HEADS,
    PLACES,
    UNFINISHED,
];

/// What a path of the cache is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Content(Kind, Digest),
    /// The record of `registry/repository:tag`.
    Reference(String),
    /// What is remembered of an archive's start, or of where content is.
    Memory,
    /// An unfinished download, or the lock of who makes something.
    Unfinished,
    /// A file that is being written, or that was when its process ended.
    Temporary,
}

#[derive(Debug)]
pub(super) struct Paths {
    /// The folder that the cache was asked for in.
    folder: PathBuf,
    root: PathBuf,
}

impl Paths {
    /// Where things are in the cache in `directory`, or in the user's. Looks for nothing but a mistake.
    pub(super) fn in_folder(directory: Option<&Path>) -> Result<Self, Error> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => user_folder("XDG_CACHE_HOME", ".cache")
                .ok_or(Error::NoDirectory)?
                .join("wasmcloud-par"),
        };
        // Executables are handed out by their path: it has to hold wherever the caller goes.
        let folder = std::path::absolute(&directory).map_err(Error::folder(&directory))?;
        // A cache of its own in there would know no pins, and trust anybody anew.
        if folder.ends_with(VERSION) && FOLDERS.iter().any(|known| folder.join(known).is_dir()) {
            return Err(Error::WithinCache(folder));
        }
        let root = folder.join(VERSION);
        Ok(Self { folder, root })
    }

    /// Creates what is missing, and makes sure that nobody else can change it.
    pub(super) fn create(&self) -> Result<(), Error> {
        create_private_folder(&self.root).map_err(Error::folder(&self.root))?;
        #[cfg(unix)]
        require_private(&self.root)?;
        Ok(())
    }

    /// Whether there is a cache, which nobody else can change then.
    pub(super) fn exist(&self) -> Result<bool, Error> {
        let there = self.root.try_exists().map_err(Error::folder(&self.root))?;
        if there {
            #[cfg(unix)]
            require_private(&self.root)?;
        }
        Ok(there)
    }

    pub(super) fn into_folder(self) -> PathBuf {
        self.folder
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn content(&self, kind: Kind, digest: &Digest) -> PathBuf {
        self.addressed(kind.folder(), digest)
    }

    pub(super) fn partial(&self, digest: &Digest) -> PathBuf {
        self.addressed(UNFINISHED, digest)
    }

    pub(super) fn lock(&self, digest: &Digest) -> PathBuf {
        let mut path = self.partial(digest);
        path.set_extension("lock");
        path
    }

    pub(super) fn places(&self, digest: &Digest) -> PathBuf {
        self.addressed(PLACES, digest)
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
        self.tagged(REFERENCES, name)
    }

    /// How the archive begins that `registry/repository:tag` points to.
    pub(super) fn head(&self, name: &str) -> Result<PathBuf, Error> {
        self.tagged(HEADS, name)
    }

    fn tagged(&self, kind: &str, name: &str) -> Result<PathBuf, Error> {
        let malformed = || Error::MalformedName(name.to_owned());
        let (place, tag) = name.rsplit_once(':').ok_or_else(malformed)?;
        let mut path = self.root.join(kind);
        for part in place.split('/') {
            path.push(safe(part).ok_or_else(malformed)?);
        }
        Ok(path.join(TAGS).join(safe(tag).ok_or_else(malformed)?))
    }

    /// What the file at `path` is for. `None` for what this module does not know, and leaves alone.
    pub(super) fn place(&self, path: &Path) -> Option<Place> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        match parts?.as_slice() {
            [.., name] if is_temporary(name) => Some(Place::Temporary),
            [UNFINISHED, ..] => Some(Place::Unfinished),
            [REFERENCES, place @ .., TAGS, tag] => {
                Some(Place::Reference(format!("{}:{tag}", place.join("/"))))
            }
            [HEADS, .., TAGS, _] | [PLACES, _, _] => Some(Place::Memory),
            [folder, algorithm, hex] => {
                let kind = Kind::ALL
                    .into_iter()
                    .find(|kind| kind.folder() == *folder)?;
                let digest = format!("{algorithm}:{hex}").parse().ok()?;
                Some(Place::Content(kind, digest))
            }
            _ => None,
        }
    }

    pub(super) fn identities(&self) -> PathBuf {
        self.root.join(IDENTITIES)
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
            Some(parent) => create_private_folder(parent).map_err(Error::folder(parent)),
            None => Ok(()),
        }
    }
}

/// A part of a reference that is safe as a file's name: the characters that the OCI distribution
/// specification allows in registries, repositories and tags, and no `..`.
pub(super) fn safe(part: &str) -> Option<&str> {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '[' | ']');
    let special = part.is_empty() || part == "." || part == ".." || part == TAGS;
    (!special && part.chars().all(allowed)).then_some(part)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn paths(folder: &tempfile::TempDir) -> Paths {
        let paths = Paths::in_folder(Some(folder.path())).unwrap();
        paths.create().unwrap();
        paths
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

    #[test]
    fn every_path_says_what_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let paths = paths(&folder);
        let digest = Digest::of(b"");
        for kind in Kind::ALL {
            let place = paths.place(&paths.content(kind, &digest));
            assert_eq!(place, Some(Place::Content(kind, digest.clone())));
        }
        for name in ["ghcr.io/org/provider:v1", "localhost:5000/provider:1.0.0"] {
            let place = paths.place(&paths.reference(name).unwrap());
            assert_eq!(place, Some(Place::Reference(name.to_owned())));
        }
        for path in [paths.head("ghcr.io/x:1").unwrap(), paths.places(&digest)] {
            assert_eq!(paths.place(&path), Some(Place::Memory));
        }
        for path in [paths.partial(&digest), paths.lock(&digest)] {
            assert_eq!(paths.place(&path), Some(Place::Unfinished));
        }
        let temporary = paths.content(Kind::Executable, &digest);
        let temporary = temporary.with_file_name(".par-x.partial");
        assert_eq!(paths.place(&temporary), Some(Place::Temporary));
        for other in ["identities/ghcr.io/x", "blobs/sha256/x", "blobs/x", "x"] {
            assert_eq!(paths.place(&paths.root().join(other)), None, "{other}");
        }
    }

    #[test]
    fn who_looks_for_a_cache_creates_none_and_none_is_within_another() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("deep/v1");
        assert!(!Paths::in_folder(Some(&deep)).unwrap().exist().unwrap());
        assert!(!folder.path().join("deep").exists());
        // Somebody's folder that is called so is as good as another.
        let paths = Paths::in_folder(Some(&deep)).unwrap();
        paths.create().unwrap();
        assert!(paths.exist().unwrap());
        for known in FOLDERS {
            fs::create_dir(paths.root().join(known)).unwrap();
            let error = Paths::in_folder(Some(paths.root())).unwrap_err();
            assert!(matches!(error, Error::WithinCache(_)), "{error}");
            fs::remove_dir(paths.root().join(known)).unwrap();
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
