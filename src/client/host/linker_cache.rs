//! `/etc/ld.so.cache`: the libraries that `ldconfig` has found.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::content::read_file_bounded;

/// The largest cache that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// The first bytes of the part of the file that all linkers since glibc 2.2 read.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// The size of the header, which begins with the magic and the number of entries.
const HEADER: usize = 48;
/// The size of an entry: flags, and the offsets of name and path, each of four bytes, and further fields.
const ENTRY: usize = 24;

/// The libraries in the cache of the dynamic linker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LinkerCache {
    paths: BTreeMap<String, Vec<PathBuf>>,
    /// Whether the cache could be read completely. This is `true` also if the machine has no such cache.
    pub(super) complete: bool,
}

impl LinkerCache {
    /// Reads the cache of this machine.
    pub(super) fn read() -> Self {
        match read_file_bounded(Path::new("/etc/ld.so.cache"), LARGEST) {
            Ok(bytes) => Self::parse(&bytes).unwrap_or_default(),
            Err(error) => Self {
                complete: error.kind() == io::ErrorKind::NotFound,
                ..Self::default()
            },
        }
    }

    /// Returns the paths of the libraries with this name.
    pub(super) fn paths(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.paths.get(name).into_iter().flatten().cloned()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        // A part in the older format can come before this one. The offsets count from the magic.
        let start = bytes
            .windows(MAGIC.len())
            .position(|window| window == MAGIC)?;
        let bytes = bytes.get(start..)?;
        let number = |at: usize| {
            let bytes = bytes.get(at..at.checked_add(4)?)?;
            usize::try_from(u32::from_ne_bytes(bytes.try_into().ok()?)).ok()
        };
        let text = |at: usize| {
            let rest = bytes.get(at..)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            std::str::from_utf8(rest.get(..end)?).ok()
        };
        let mut paths = BTreeMap::<_, Vec<_>>::new();
        for entry in 0..number(MAGIC.len())?.min(bytes.len() / ENTRY) {
            let at = HEADER + entry * ENTRY;
            let (name, path) = (text(number(at + 4)?)?, text(number(at + 8)?)?);
            paths
                .entry(name.to_owned())
                .or_default()
                .push(PathBuf::from(path));
        }
        Some(Self {
            paths,
            complete: true,
        })
    }
}

#[cfg(test)]
#[path = "tests/linker_cache.rs"]
mod tests;
