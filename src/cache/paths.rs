//! The only code that knows where files are on disk.

use std::path::{Path, PathBuf};

use crate::content::{Algorithm, Digest, create_private_directory, is_temporary, user_directory};

use super::error::Error;
#[cfg(unix)]
use super::private::require_private;

/// The version of the format. It changes whenever the meaning of the files changes, so that old and new
/// programs never read each other's files.
const VERSION: &str = "v1";

/// The file in the state with the publisher to which a repository is pinned. Like `_tags` and `_lock`, this is not a
/// valid part of a repository's name.
pub(super) const IDENTITY: &str = "_identity";
/// The file that is locked while the record of a tag changes.
const LOCK: &str = "_lock";
const TAGS: &str = "_tags";

const REFERENCES: &str = "references";
const IDENTITIES: &str = "identities";
const HEADS: &str = "heads";
const PLACES: &str = "places";
const PROGRAMS: &str = "programs";
const PROVIDERS: &str = "providers";
const BUNDLES: &str = "bundles";
const UNAVAILABLE: &str = "away";
const LISTED_BY_CLIENTS: &str = "listed-by-clients";
const UNFINISHED: &str = "partial";

/// The directories in a cache.
const DIRECTORIES: [&str; 12] = [
    Kind::Blob.directory(),
    Kind::Executable.directory(),
    REFERENCES,
    IDENTITIES,
    HEADS,
    PLACES,
    PROGRAMS,
    PROVIDERS,
    BUNDLES,
    UNAVAILABLE,
    LISTED_BY_CLIENTS,
    UNFINISHED,
];

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A manifest, or a layer with an archive or a part of one.
    Blob,
    /// A verified executable, named by its signed hash.
    Executable,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Blob, Self::Executable];

    const fn directory(self) -> &'static str {
        match self {
            Self::Blob => "blobs",
            Self::Executable => "executables",
        }
    }

    /// Returns the permission bits. No user may write to the file.
    pub(super) const fn mode(self) -> u32 {
        match self {
            Self::Blob => 0o444,
            Self::Executable => 0o555,
        }
    }
}

/// The purpose of a file of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Content(Kind, Digest),
    /// A readable name of the executable of this digest.
    Program(Digest),
    /// The record of the tag `registry/repository:tag`.
    Reference(String),
    /// The description of the provider in the manifest of this digest.
    Provider(Digest),
    /// A Sigstore bundle of the manifest of this digest.
    Bundle(Digest),
    /// The first bytes of the archive of the tag `registry/repository:tag`.
    Head(String),
    /// The repositories in which content was seen, a registry that did not answer, or one without a referrers API.
    Hint,
    /// An unfinished download, or a lock file.
    Unfinished,
    /// A file that is being written, or that was left behind when its process ended.
    Temporary,
}

#[derive(Debug)]
pub(super) struct Paths {
    root: PathBuf,
}

impl Paths {
    /// Returns the paths of the cache in `directory`, or in the user's cache directory. Creates nothing.
    pub(super) fn in_directory(directory: Option<&Path>) -> Result<Self, Error> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => user_directory("XDG_CACHE_HOME", ".cache")
                .ok_or(Error::NoDirectory)?
                .join("wasmcloud-par"),
        };
        // The path is absolute, because the path of an executable must be valid after the caller changes its working
        // directory.
        let directory = std::path::absolute(&directory).map_err(Error::directory(&directory))?;
        // A caller that names the directory of the version would get a new, empty cache in it.
        let is_cache = || DIRECTORIES.iter().any(|name| directory.join(name).is_dir());
        if directory.ends_with(VERSION) && is_cache() {
            return Err(Error::WithinCache(directory));
        }
        let root = directory.join(VERSION);
        Ok(Self { root })
    }

    /// Creates the directory of the cache if it is missing, and requires that no other user can change it.
    pub(super) fn create(&self) -> Result<(), Error> {
        create_private_directory(&self.root).map_err(Error::directory(&self.root))?;
        #[cfg(unix)]
        require_private(&self.root)?;
        Ok(())
    }

    /// Whether the cache exists. Fails when it exists and another user can change it.
    pub(super) fn exist(&self) -> Result<bool, Error> {
        let there = self.root.try_exists();
        let there = there.map_err(Error::directory(&self.root))?;
        #[cfg(unix)]
        if there {
            require_private(&self.root)?;
        }
        Ok(there)
    }

    /// Returns the directory that the cache is opened in.
    pub(super) fn into_directory(mut self) -> PathBuf {
        self.root.pop();
        self.root
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn content(&self, kind: Kind, digest: &Digest) -> PathBuf {
        self.addressed(kind.directory(), digest)
    }

    pub(super) fn partial(&self, digest: &Digest) -> PathBuf {
        self.addressed(UNFINISHED, digest)
    }

    /// Returns the lock file for making or checking the content of `digest`.
    pub(super) fn lock(&self, digest: &Digest) -> PathBuf {
        let mut path = self.partial(digest);
        path.set_extension("lock");
        path
    }

    /// Returns the file for an upload of the content of `digest` into `repository` (`registry/repository`).
    pub(super) fn upload(&self, repository: &str, digest: &Digest) -> PathBuf {
        let place = Digest::of(repository.as_bytes());
        let mut path = self.partial(digest);
        path.set_extension(format!("{:.16}.upload", place.hex()));
        path
    }

    pub(super) fn places(&self, digest: &Digest) -> PathBuf {
        self.addressed(PLACES, digest)
    }

    /// Returns the directory with the readable names of the executable of `digest`.
    pub(super) fn programs(&self, digest: &Digest) -> PathBuf {
        self.addressed(PROGRAMS, digest)
    }

    /// Returns the file with the description of the provider in the manifest `digest`.
    pub(super) fn provider(&self, digest: &Digest) -> PathBuf {
        self.addressed(PROVIDERS, digest)
    }

    /// Returns the file with the Sigstore bundle of the manifest `digest` that a policy has accepted. `policy` is the
    /// digest of the demands of that policy.
    #[cfg(any(test, feature = "sigstore"))]
    pub(super) fn bundle(&self, digest: &Digest, policy: &Digest) -> PathBuf {
        let mut path = self.addressed(BUNDLES, digest);
        path.set_extension(format!("{:.16}", policy.hex()));
        path
    }

    /// Returns the file that records that `registry` did not answer.
    pub(super) fn no_answer(&self, registry: &str) -> Result<PathBuf, Error> {
        let name = file_name(registry).ok_or_else(|| Error::MalformedName(registry.to_owned()))?;
        Ok(self.root.join(UNAVAILABLE).join(name))
    }

    /// Returns the file that says that clients maintain the lists of referrers in `registry`.
    #[cfg(any(test, feature = "sigstore"))]
    pub(super) fn listed_by_clients(&self, registry: &str) -> Result<PathBuf, Error> {
        let name = file_name(registry).ok_or_else(|| Error::MalformedName(registry.to_owned()))?;
        Ok(self.root.join(LISTED_BY_CLIENTS).join(name))
    }

    fn addressed(&self, directory: &str, digest: &Digest) -> PathBuf {
        self.root
            .join(directory)
            .join(digest.algorithm().name())
            .join(digest.hex())
    }

    /// Returns the record of the tag `registry/repository:tag`.
    pub(super) fn reference(&self, name: &str) -> Result<PathBuf, Error> {
        self.tagged(REFERENCES, name)
    }

    /// Returns the lock file for changing the record of `registry/repository:tag`.
    pub(super) fn reference_lock(&self, name: &str) -> Result<PathBuf, Error> {
        let mut path = self.reference(name)?;
        path.pop();
        path.set_file_name(LOCK);
        Ok(path)
    }

    /// Returns the file with the first bytes of the archive of `registry/repository:tag`.
    pub(super) fn head(&self, name: &str) -> Result<PathBuf, Error> {
        self.tagged(HEADS, name)
    }

    fn tagged(&self, directory: &str, name: &str) -> Result<PathBuf, Error> {
        let malformed = || Error::MalformedName(name.to_owned());
        let (repository, tag) = name.rsplit_once(':').ok_or_else(malformed)?;
        let mut path = self.root.join(directory);
        path.push(repository_path(repository).ok_or_else(malformed)?);
        path.push(TAGS);
        path.push(file_name(tag).ok_or_else(malformed)?);
        Ok(path)
    }

    /// Whether only a directory of the cache has a right to be at `path`.
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.root) else {
            return false;
        };
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        match parts.unwrap_or_default().as_slice() {
            [name] => DIRECTORIES.contains(name),
            [REFERENCES | HEADS, above @ .., name] => {
                // Files that the system puts anywhere, such as `.nfs…`, have names that no repository has.
                let is_part = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
                !above.contains(&TAGS) && (is_part || *name == TAGS)
            }
            [PROGRAMS, algorithm, hex] => digest(algorithm, hex).is_some(),
            [UNAVAILABLE | LISTED_BY_CLIENTS, _] => false,
            [directory, algorithm] => {
                let mut known = [Algorithm::Sha256, Algorithm::Sha512].into_iter();
                DIRECTORIES.contains(directory) && known.any(|known| known.name() == *algorithm)
            }
            _ => false,
        }
    }

    /// Returns the purpose of the file at `path`. `None` for an unknown file, which is never changed or removed.
    pub(super) fn purpose(&self, path: &Path) -> Option<Purpose> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        match parts?.as_slice() {
            [.., name] if is_temporary(name) => Some(Purpose::Temporary),
            [UNFINISHED, ..] | [REFERENCES | IDENTITIES, .., LOCK] => Some(Purpose::Unfinished),
            [REFERENCES, repository @ .., TAGS, tag] => {
                Some(Purpose::Reference(tag_name(repository, tag)))
            }
            [HEADS, repository @ .., TAGS, tag] => Some(Purpose::Head(tag_name(repository, tag))),
            [PLACES, _, _] | [UNAVAILABLE | LISTED_BY_CLIENTS, _] => Some(Purpose::Hint),
            [PROGRAMS, algorithm, hex, _] => digest(algorithm, hex).map(Purpose::Program),
            [PROVIDERS, algorithm, hex] => digest(algorithm, hex).map(Purpose::Provider),
            [BUNDLES, algorithm, name] => {
                let (hex, _) = name.split_once('.')?;
                digest(algorithm, hex).map(Purpose::Bundle)
            }
            [directory, algorithm, hex] => {
                let mut kinds = Kind::ALL.into_iter();
                let kind = kinds.find(|kind| kind.directory() == *directory)?;
                Some(Purpose::Content(kind, digest(algorithm, hex)?))
            }
            _ => None,
        }
    }

    /// Returns the directory in which older versions kept pins.
    pub(super) fn old_identities(&self) -> PathBuf {
        self.root.join(IDENTITIES)
    }
}

/// Returns the digest for the last two parts of a path.
fn digest(algorithm: &str, hex: &str) -> Option<Digest> {
    format!("{algorithm}:{hex}").parse().ok()
}

/// Returns `registry/repository:tag`.
fn tag_name(repository: &[&str], tag: &str) -> String {
    format!("{}:{tag}", place_of(&repository.join("/")))
}

/// Returns `registry/repository` for the names of its directories, which are joined with `/`.
pub(super) fn place_of(directories: &str) -> String {
    let (registry, repository) = match directories.find('/') {
        Some(end) => directories.split_at(end),
        None => (directories, ""),
    };
    if cfg!(windows) {
        with_colons(registry) + repository
    } else {
        directories.to_owned()
    }
}

/// Returns `registry/repository` as a relative path. `None` when a part of the name is not safe as a file name, or is
/// used by the cache itself.
pub(super) fn repository_path(repository: &str) -> Option<PathBuf> {
    let name = |part: &str| match part {
        TAGS | IDENTITY | LOCK => None,
        part => file_name(part),
    };
    repository.split('/').map(name).collect()
}

/// Returns the name of the file or directory for a part of a reference, if the part is safe as a file name.
fn file_name(part: &str) -> Option<String> {
    let part = safe(part)?;
    Some(if cfg!(windows) {
        without_colons(part)
    } else {
        part.to_owned()
    })
}

/// Returns the name of a registry in a form for file systems that allow no colons in names: `host_5000_` for
/// `host:5000`, as in containerd's directories of settings, and `[__1]` for `[::1]`.
fn without_colons(registry: &str) -> String {
    match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => format!("{}_{port}_", host.replace(':', "_")),
        _ => registry.replace(':', "_"),
    }
}

/// Returns the name of a registry from its form [`without_colons`].
fn with_colons(name: &str) -> String {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name
        .strip_suffix('_')
        .and_then(|parts| parts.rsplit_once('_'));
    let (host, port) = match parts.filter(|(_, port)| is_port(port)) {
        Some((host, port)) => (host, format!(":{port}")),
        None => (name, String::new()),
    };
    let host = if host.starts_with('[') {
        host.replace('_', ":")
    } else {
        host.to_owned()
    };
    host + &port
}

/// Returns a part of a reference if it is safe as a file name: it has only characters that the OCI
/// distribution specification allows in registries, repositories and tags, and is not `..`.
pub(super) fn safe(part: &str) -> Option<&str> {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '[' | ']');
    let special = part.is_empty() || part == "." || part == "..";
    (!special && part.chars().all(allowed)).then_some(part)
}

#[cfg(test)]
#[path = "tests/paths.rs"]
mod tests;
