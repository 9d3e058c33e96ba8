//! The entries of a tar: the role of each one, and the entries that are forbidden.

use std::io::{self, Read};
use std::path::Path;

use tar::{Entry, EntryType, Header};

use crate::archive::error::Error;
use crate::archive::limits::Limits;
use crate::archive::target::Target;
use crate::content::{self, is_too_large};

use super::pax;
use super::tar_stream::tar_error;

/// The role of an entry in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::archive) enum Role {
    /// The signed token.
    Claims,
    /// The WIT world.
    World,
    /// The executable for a target.
    Executable(Target),
}

/// Finds the role of each entry. It must see all entries in the order of the archive, because an extension header
/// describes the entry that follows it.
pub(in crate::archive) struct Entries<'l> {
    limits: &'l Limits,
    seen: usize,
    /// The name that an extension header gives to the next entry.
    long_name: Option<Vec<u8>>,
    /// The size that an extension header gives to the next entry.
    size: Option<u64>,
}

impl<'l> Entries<'l> {
    pub(in crate::archive) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            seen: 0,
            long_name: None,
            size: None,
        }
    }

    /// Returns the role of the next entry, or `None` for a directory or an extension header.
    pub(in crate::archive) fn role<R: Read>(
        &mut self,
        entry: &mut Entry<'_, R>,
    ) -> Result<Option<Role>, Error> {
        self.seen += 1;
        if self.seen > self.limits.entries {
            return Err(Error::TooLarge {
                what: "entries",
                limit: self.limits.entries as u64,
            });
        }
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let limit = self.limits.name as u64;
                let mut name = read_bounded(entry, "bytes in a name", limit)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                self.long_name = Some(name);
                Ok(None)
            }
            EntryType::XHeader => {
                let bytes = read_bounded(entry, "bytes in a header", self.limits.claims)?;
                self.pax_header(&bytes)?;
                Ok(None)
            }
            // A global header has defaults for all entries. Readers of archives need none of them.
            EntryType::XGlobalHeader => {
                read_bounded(entry, "bytes in a header", self.limits.claims)?;
                Ok(None)
            }
            kind => {
                let name = self.entry_name(entry.header())?;
                self.check_size(&name, entry.size())?;
                named_role(&name, kind, entry.size())
            }
        }
    }

    fn pax_header(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for (key, value) in pax::records(bytes)? {
            match key {
                b"path" => self.long_name = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok();
                    let size = size.and_then(|size| size.parse().ok());
                    let malformed = || damaged("the size in an extended header is malformed");
                    self.size = Some(size.ok_or_else(malformed)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses an entry to which an extension header gives another size than its own header: readers that know
    /// only one of them would see different archives. Sizes that need the extension header exceed every limit.
    fn check_size(&mut self, name: &str, header: u64) -> Result<(), Error> {
        match self.size.take() {
            Some(size) if size > self.limits.executable => Err(Error::EntryTooLarge {
                name: name.escape_debug().to_string(),
                size,
                limit: self.limits.executable,
            }),
            Some(size) if size != header => Err(damaged(&format!(
                "its extended header says {size} bytes for an entry, and its header {header} bytes"
            ))),
            _ => Ok(()),
        }
    }

    fn entry_name(&mut self, header: &Header) -> Result<String, Error> {
        let long_name = self.long_name.take();
        let bytes = long_name.unwrap_or_else(|| header.path_bytes().into_owned());
        let forbidden = |why| Error::ForbiddenName {
            name: bytes.escape_ascii().to_string(),
            why,
        };
        if bytes.len() > self.limits.name {
            return Err(Error::TooLarge {
                what: "bytes in a name",
                limit: self.limits.name as u64,
            });
        }
        let name = std::str::from_utf8(&bytes).map_err(|_| forbidden("it is not UTF-8"))?;
        if name.starts_with('/') {
            return Err(forbidden("it is absolute"));
        }
        if name.split('/').any(|part| part == "..") {
            return Err(forbidden("it leaves the archive with `..`"));
        }
        if name.chars().any(|c| c.is_control() || c == '\\') {
            return Err(forbidden("it has control characters or backslashes"));
        }
        Ok(name.to_owned())
    }
}

fn damaged(reason: &str) -> Error {
    Error::DamagedTar(io::Error::new(io::ErrorKind::InvalidData, reason))
}

fn named_role(name: &str, kind: EntryType, size: u64) -> Result<Option<Role>, Error> {
    if kind.is_dir() || (kind.is_file() && name.ends_with('/') && size == 0) {
        return Ok(None);
    }
    if !(kind.is_file() || kind.is_contiguous()) {
        return Err(Error::ForbiddenEntry {
            name: name.escape_debug().to_string(),
            what: describe(kind),
        });
    }
    let forbidden = |why| Error::ForbiddenName {
        name: name.escape_debug().to_string(),
        why,
    };
    // The role depends on the name without its directory and its suffix, as in `provider-archive`.
    match Path::new(name).file_stem().and_then(|stem| stem.to_str()) {
        Some("claims") => Ok(Some(Role::Claims)),
        Some("world") => Ok(Some(Role::World)),
        Some(stem) => Target::carried(stem)
            .map(|target| Some(Role::Executable(target)))
            .map_err(|_| forbidden("it does not name a target")),
        None => Err(forbidden("it does not name a file")),
    }
}

/// Refuses an entry whose header gives a `size` of more than `limit` bytes.
pub(in crate::archive) fn check_entry(name: &str, size: u64, limit: u64) -> Result<(), Error> {
    if size <= limit {
        return Ok(());
    }
    let name = name.to_owned();
    Err(Error::EntryTooLarge { name, size, limit })
}

/// Reads an entry into memory. Fails with [`Error::TooLarge`] when it has more than `limit` bytes.
pub(in crate::archive) fn read_bounded(
    entry: &mut impl Read,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    content::read_bounded(entry, limit).map_err(|error| match error {
        error if is_too_large(&error) => Error::TooLarge { what, limit },
        error => tar_error(error),
    })
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "hard link",
        EntryType::Symlink => "symbolic link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        EntryType::GNUSparse => "sparse file",
        _ => "special entry",
    }
}
