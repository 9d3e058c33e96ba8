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
    /// A directory. Hosts ignore the types of entries, and would read it as an empty executable for this target.
    Directory(Target),
}

/// Finds the role of each entry. It must see all entries in the order of the archive, because an extension header
/// describes the entry that follows it.
pub(in crate::archive) struct Entries<'l> {
    limits: &'l Limits,
    seen: usize,
    extension: Extension,
}

impl<'l> Entries<'l> {
    pub(in crate::archive) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            seen: 0,
            extension: Extension::default(),
        }
    }

    /// Returns the role of the next entry. `None` for an extension header, and for a directory whose name is not that of
    /// a target.
    ///
    /// Hosts read an entry of any type as a file, and the last one of a name wins. So an entry without a role must mean
    /// nothing to them.
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
        let header = entry.header();
        check_size_field(header)?;
        // In another format, hosts read an extension header as a file.
        let may_extend = header.as_gnu().is_some() || header.as_ustar().is_some();
        match header.entry_type() {
            EntryType::GNULongName if may_extend => {
                let limit = self.limits.name as u64;
                let mut name = read_bounded(entry, "bytes in a name", limit)?;
                if name.last() == Some(&0) {
                    name.pop();
                }
                self.extension.set_name(name)?;
                Ok(None)
            }
            EntryType::XHeader if may_extend => {
                let bytes = read_bounded(entry, "bytes in a header", self.limits.claims)?;
                self.extension.read(&bytes)?;
                Ok(None)
            }
            kind => {
                let extension = std::mem::take(&mut self.extension);
                let name = self.entry_name(header, extension.name)?;
                self.check_size(&name, extension.size)?;
                if extension.is_sparse {
                    return Err(forbidden_entry(&name, "sparse file"));
                }
                named_role(&name, kind, entry.size())
            }
        }
    }

    /// Refuses an extension header after the last entry.
    pub(in crate::archive) fn finish(&self) -> Result<(), Error> {
        if self.extension == Extension::default() {
            return Ok(());
        }
        Err(damaged("an extension header describes no entry"))
    }

    /// Refuses an entry whose size is in an extended header. Sizes that do not fit the header itself exceed the limits.
    /// `provider-archive` 0.16.2 applies the size to all later entries too, so hosts would see another archive.
    fn check_size(&self, name: &str, extended: Option<u64>) -> Result<(), Error> {
        match extended {
            Some(size) if size > self.limits.executable => Err(Error::EntryTooLarge {
                name: name.escape_debug().to_string(),
                size,
                limit: self.limits.executable,
            }),
            Some(_) => Err(damaged(
                "the size of an entry is in an extended header, and hosts apply it to later entries too",
            )),
            None => Ok(()),
        }
    }

    fn entry_name(&self, header: &Header, long_name: Option<Vec<u8>>) -> Result<String, Error> {
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

/// What the extension headers before an entry say about it. Two headers that say the same thing are refused, because
/// some readers use the first one and some the last one.
#[derive(Default, PartialEq)]
struct Extension {
    /// Whether there is an extended header, with any records.
    is_extended: bool,
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// Whether GNU `tar` stored the entry as a sparse file. Its content is then not that of the file.
    is_sparse: bool,
}

impl Extension {
    /// Reads an extended header of POSIX.
    fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_extended, true) {
            return Err(damaged("two extended headers describe one entry"));
        }
        for (key, value) in pax::records(bytes)? {
            match key {
                b"path" => self.set_name(value.to_vec())?,
                b"size" => {
                    let size = std::str::from_utf8(value).ok();
                    let size = size.and_then(|size| size.parse().ok());
                    let malformed = || damaged("the size in an extended header is malformed");
                    self.size = Some(size.ok_or_else(malformed)?);
                }
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn set_name(&mut self, name: Vec<u8>) -> Result<(), Error> {
        match self.name.replace(name) {
            None => Ok(()),
            Some(_) => Err(damaged("extension headers give an entry two names")),
        }
    }
}

/// Refuses a size in base 256 that is negative or has more than 64 bits. The tar reader ignores the other bits.
fn check_size_field(header: &Header) -> Result<(), Error> {
    let [first, second, third, fourth, ..] = header.as_old().size;
    if first & 0x80 != 0 && [first, second, third, fourth] != [0x80, 0, 0, 0] {
        return Err(damaged("the size of an entry is out of range"));
    }
    Ok(())
}

fn damaged(reason: &str) -> Error {
    Error::DamagedTar(io::Error::new(io::ErrorKind::InvalidData, reason))
}

fn named_role(name: &str, kind: EntryType, size: u64) -> Result<Option<Role>, Error> {
    let forbidden = |why| Error::ForbiddenName {
        name: name.escape_debug().to_string(),
        why,
    };
    // The role depends on the name without its directory and its suffix, as in `provider-archive`.
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
    if kind.is_dir() || (kind.is_file() && name.ends_with('/') && size == 0) {
        return match stem {
            _ if size > 0 => Err(forbidden_entry(name, "directory with content")),
            Some("claims" | "world") => {
                Err(forbidden("it is a directory, and hosts read it as a file"))
            }
            stem => {
                let target = stem.and_then(|stem| Target::carried(stem).ok());
                Ok(target.map(Role::Directory))
            }
        };
    }
    if !(kind.is_file() || kind.is_contiguous()) {
        return Err(forbidden_entry(name, describe(kind)));
    }
    match stem {
        Some("claims") => Ok(Some(Role::Claims)),
        Some("world") => Ok(Some(Role::World)),
        Some(stem) => Target::carried(stem)
            .map(|target| Some(Role::Executable(target)))
            .map_err(|_| forbidden("it does not name a target")),
        None => Err(forbidden("it does not name a file")),
    }
}

fn forbidden_entry(name: &str, what: &'static str) -> Error {
    Error::ForbiddenEntry {
        name: name.escape_debug().to_string(),
        what,
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
        EntryType::XGlobalHeader => "global header",
        _ => "special entry",
    }
}
