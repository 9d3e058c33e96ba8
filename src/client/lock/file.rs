//! The lock file. It is TOML, because people read it in reviews.
//!
//! ```toml
//! version = 2
//!
//! [[provider]]
//! reference = "ghcr.io/org/demo:1.0.0"
//! digest = "sha256:…"
//! issuer = "A…"
//! subject = "V…"
//! version = "1.0.0"
//! revision = 3
//!
//! [provider.identity]
//! issuer = "https://token.actions.githubusercontent.com"
//! subject = "https://github.com/org/demo/.github/workflows/release.yml@refs/tags/v1.0.0"
//! root = "public"
//! ```
//!
//! The version is 1 if no entry has an identity, else 2. A program that knows only version 1 refuses a file of version 2,
//! because it could not check the identities.
//!
//! Locks with equal content have equal bytes: the entries are sorted by reference, and the file has no date.

use std::io;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::Spanned;

use crate::content::{AtomicFile, open_regular};
use crate::oci::Reference;

use super::super::toml_problem::{Problem, read_text};
use super::{Lock, LockError, Locked};

/// The largest file that is read, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;
/// The version of a file without identities, and the version of a file with some.
const VERSIONS: [u32; 2] = [1, 2];
const HEADER: &str = "# The digests and publishers of a deployment. Do not edit by hand.\n";

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    provider: Vec<&'a Locked>,
}

/// The version of the file. It is read first, because a later version may have other fields.
#[derive(Deserialize)]
struct Versioned {
    version: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    provider: Vec<Spanned<Locked>>,
}

impl Lock {
    /// Reads a lock file. Blocks.
    ///
    /// # Errors
    ///
    /// [`LockError::Read`], also for more than 8 MiB. [`LockError::Malformed`], also for an unknown version, for a
    /// reference that is listed twice, and for a reference with another digest than the locked one.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let text = open_regular(path).and_then(|(file, _)| read_text(file, LIMIT));
        let text = text.map_err(|source| {
            let path = path.to_owned();
            LockError::Read { path, source }
        })?;
        parse(&text).map_err(|problem| {
            let (line, _) = problem.position(&text);
            LockError::Malformed {
                path: path.to_owned(),
                line,
                reason: problem.reason,
            }
        })
    }

    /// Writes the lock to `path`. If this fails, the existing file stays unchanged. Blocks.
    ///
    /// # Errors
    ///
    /// [`LockError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = self.text().map_err(io::Error::other);
        let write = |text: String| AtomicFile::create(path)?.commit_with(text.as_bytes());
        text.and_then(write).map_err(|source| {
            let path = path.to_owned();
            LockError::Write { path, source }
        })
    }

    pub(super) fn text(&self) -> Result<String, toml::ser::Error> {
        let [without, with] = VERSIONS;
        let has_identity = self.iter().any(|locked| locked.identity.is_some());
        let written = Written {
            version: if has_identity { with } else { without },
            provider: self.iter().collect(),
        };
        Ok(format!("{HEADER}{}", toml::to_string(&written)?))
    }
}

fn parse(text: &str) -> Result<Lock, Problem> {
    let Versioned { version } = toml::from_str(text)?;
    let [without_identities, with_identities] = VERSIONS;
    if !VERSIONS.contains(version.get_ref()) {
        let reason = format!(
            "its version is neither {without_identities} nor {with_identities}, the only ones that are supported"
        );
        return Err(Problem::at(&version, reason));
    }
    let document: Document = toml::from_str(text)?;
    let mut lock = Lock::default();
    for spanned in document.provider {
        let Locked {
            reference, digest, ..
        } = spanned.get_ref();
        let name = reference.to_string();
        if spanned.get_ref().identity.is_some() && *version.get_ref() == without_identities {
            let reason = format!("a file of version {without_identities} has no identities");
            return Err(Problem::at(&spanned, reason));
        }
        if reference.digest().is_some_and(|named| named != digest) {
            return Err(Problem::at(&spanned, format!("{name} is not {digest}")));
        }
        if lock.providers.contains_key(&name) {
            return Err(Problem::at(&spanned, format!("{name} is listed twice")));
        }
        lock.providers.insert(name, spanned.into_inner());
    }
    Ok(lock)
}

pub(super) fn serialize<S: Serializer>(
    reference: &Reference,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reference)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Reference, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(de::Error::custom)
}
