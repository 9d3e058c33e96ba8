//! Finding the files in a tar by its headers. No content is read.
//!
//! The supported formats are POSIX (`pax`) and the long names of GNU tar. If several entries have one name, the last entry
//! is used, as when the tar is unpacked.

use std::io::{self, Read, Seek, SeekFrom};

use tar::{EntryType, Header, PaxExtensions};

use crate::content::read_bounded;

use super::super::layout::{BLOBS, INDEX, MARKER};
use super::super::one_line::one_line;
use super::entries::{Entries, Span};

/// The size of a header, in bytes. All content in a tar is padded to a multiple of it.
const BLOCK: u64 = 512;
/// How many entries a tar may have. A layout has one entry for each blob.
const MOST_ENTRIES: usize = 100_000;
/// The largest extended header, in bytes.
const LARGEST_EXTENDED: u64 = 64 * 1024;
/// The longest name that is recorded, in bytes. Names of files in a layout have at most 141 bytes.
const LONGEST_NAME: usize = 512;

/// The reason why a tar cannot be used.
#[derive(Debug)]
pub(super) enum ScanError {
    /// The file cannot be read.
    Read(io::Error),
    /// The file is not a tar.
    NotATar(&'static str),
    /// The tar breaks a rule of its format.
    Malformed(String),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn malformed<T>(reason: impl Into<String>) -> Result<T, ScanError> {
    Err(ScanError::Malformed(reason.into()))
}

/// Finds the regular files of the tar `input`, which has `size` bytes.
///
/// Directories are left out, and so are links and devices. A link or a device with the name of a file of a layout is an
/// error.
pub(super) fn scan(input: impl Read + Seek, size: u64) -> Result<Entries, ScanError> {
    let mut scanner = Scanner {
        input,
        size,
        position: 0,
        extended: Extended::default(),
        entries: Entries::new(),
    };
    let mut count = 0;
    while let Some(header) = scanner.header()? {
        count += 1;
        if count > MOST_ENTRIES {
            return malformed(format!("it has more than {MOST_ENTRIES} entries"));
        }
        scanner.entry(&header)?;
    }
    Ok(scanner.entries)
}

struct Scanner<R> {
    input: R,
    size: u64,
    /// The offset of the next header, in bytes.
    position: u64,
    /// The fields from the extended headers before the next entry.
    extended: Extended,
    entries: Entries,
}

/// The fields of extended headers. They replace fields of the header, which are too short for some values.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl<R: Read + Seek> Scanner<R> {
    /// Reads the next header. Returns `None` at the block of zeros that ends the tar.
    fn header(&mut self) -> Result<Option<Header>, ScanError> {
        let position = self.position;
        if self.size < BLOCK {
            return Err(ScanError::NotATar(if self.size == 0 {
                "it is empty"
            } else {
                "it is not a tar"
            }));
        }
        if self.size - position.min(self.size) < BLOCK {
            return malformed(format!(
                "it is cut: it ends at byte {}, without the blocks of zeros that end a tar",
                self.size
            ));
        }
        self.input.seek(SeekFrom::Start(position))?;
        let mut block = [0; BLOCK as usize];
        self.input.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block);
        if header.cksum().ok() != Some(sum(&block)) {
            if position == 0 {
                return Err(ScanError::NotATar(kind_of(&block)));
            }
            return malformed(format!("there is no header at byte {position}"));
        }
        Ok(Some(header.clone()))
    }

    /// Records the entry of `header`, and skips its content.
    fn entry(&mut self, header: &Header) -> Result<(), ScanError> {
        let kind = header.entry_type();
        let offset = self.position + BLOCK;
        let Ok(size) = header.entry_size() else {
            return malformed(format!(
                "the size at byte {} is not a number",
                self.position
            ));
        };
        match kind {
            EntryType::GNULongName => {
                let mut name = self.extended_content(offset, size)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                self.extended.name = Some(name);
                return self.skip(offset, size);
            }
            EntryType::XHeader => {
                let content = self.extended_content(offset, size)?;
                self.extended.read(&content)?;
                return self.skip(offset, size);
            }
            EntryType::GNULongLink => return self.skip(offset, size),
            EntryType::XGlobalHeader => {
                let content = self.extended_content(offset, size)?;
                let mut global = Extended::default();
                global.read(&content)?;
                if global.name.is_some() || global.size.is_some() {
                    return malformed("a global header names a path or a size");
                }
                return self.skip(offset, size);
            }
            _ => {}
        }
        let extended = std::mem::take(&mut self.extended);
        let name = extended.name;
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = usable_name(name);
        let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous);
        let is_sparse = extended.is_sparse || kind == EntryType::GNUSparse;
        let size = match kind {
            // These kinds have no content. A size in their header is ignored.
            EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo => 0,
            _ => extended.size.unwrap_or(size),
        };
        if is_sparse {
            let name = name.unwrap_or_default();
            return malformed(format!("`{}` is a sparse file", one_line(&name)));
        }
        if let Some(name) = name {
            if is_file {
                self.entries.insert(name, Span { offset, size });
            } else if kind != EntryType::Directory {
                if is_of_layout(&name) {
                    return malformed(format!("`{}` is not a regular file", one_line(&name)));
                }
                self.entries.remove(&name);
            }
        }
        self.skip(offset, size)
    }

    /// Reads the content of an extended header.
    fn extended_content(&mut self, offset: u64, size: u64) -> Result<Vec<u8>, ScanError> {
        if size > LARGEST_EXTENDED {
            return malformed(format!(
                "the extended header at byte {} has {size} bytes; at most {LARGEST_EXTENDED} are read",
                self.position
            ));
        }
        self.input.seek(SeekFrom::Start(offset))?;
        Ok(read_bounded(self.input.by_ref().take(size), size)?)
    }

    /// Skips content of `size` bytes at `offset`. It must lie within the file.
    fn skip(&mut self, offset: u64, size: u64) -> Result<(), ScanError> {
        let end = offset.checked_add(size).filter(|end| *end <= self.size);
        let next = end.and_then(|end| end.checked_next_multiple_of(BLOCK));
        let Some(next) = next else {
            return malformed(format!(
                "it is cut: an entry says that it has {size} bytes from byte {offset} on, and the file has {}",
                self.size
            ));
        };
        self.position = next;
        Ok(())
    }
}

impl Extended {
    /// Reads the records of an extended header of POSIX.
    fn read(&mut self, content: &[u8]) -> Result<(), ScanError> {
        for record in PaxExtensions::new(content) {
            let Ok(record) = record else {
                return malformed("an extended header is malformed");
            };
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok().and_then(|size| size.parse().ok());
                    let Some(size) = size else {
                        return malformed("the size in an extended header is not a number");
                    };
                    self.size = Some(size);
                }
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the checksum of a header. The bytes of the checksum field itself are counted as spaces.
fn sum(block: &[u8]) -> u32 {
    let own = 148..156;
    let bytes = block.iter().enumerate();
    bytes
        .map(|(at, byte)| u32::from(if own.contains(&at) { b' ' } else { *byte }))
        .sum()
}

/// Returns the kind of a file that does not begin with the header of a tar.
fn kind_of(start: &[u8]) -> &'static str {
    const KINDS: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "it is compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd"),
        (b"BZh", "it is compressed with bzip2"),
        (b"\xfd7zXZ\0", "it is compressed with xz"),
        (b"PK\x03\x04", "it is a ZIP archive, not a tar"),
    ];
    let mut kinds = KINDS.iter();
    let found = kinds.find(|(magic, _)| start.starts_with(magic));
    found.map_or("it is not a tar", |(_, kind)| kind)
}

/// Returns the name of an entry without a leading `./`. Returns `None` for a name that leads out of the layout, that is too
/// long, or that is not UTF-8.
fn usable_name(name: Vec<u8>) -> Option<String> {
    let name = String::from_utf8(name).ok()?;
    let mut name = name.as_str();
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    let is_usable = name.len() <= LONGEST_NAME
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !name.contains('\0');
    is_usable.then(|| name.to_owned())
}

/// Whether a file of a layout has this name.
fn is_of_layout(name: &str) -> bool {
    let is_blob = || {
        let rest = name.strip_prefix(BLOBS);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    [MARKER, INDEX].contains(&name) || is_blob()
}

#[cfg(test)]
#[path = "tests/scan.rs"]
mod tests;
