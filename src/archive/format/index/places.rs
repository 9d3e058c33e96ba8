//! Where the entries of an archive are.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use flate2::read::DeflateDecoder;

use crate::archive::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use crate::archive::error::Error;
use crate::archive::format::gzip::{PART, is_compressed};
use crate::archive::format::tar_stream::BLOCK;
use crate::archive::limits::Limits;
use crate::archive::target::Target;

/// Where the entries of an archive are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The size of a part once inflated. `None` when the archive is a plain tar.
    pub(super) part: Option<u32>,
    pub(super) entries: Vec<IndexEntry>,
}

/// Where one entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The name of the entry in the tar, such as `x86_64-linux.bin`.
    pub name: String,
    /// The range of bytes in the file, compressed or not.
    pub range: Range<u64>,
    /// The size of the content in bytes, once inflated.
    pub size: u64,
    /// The compressed bytes of each part, in order. Empty in a plain tar.
    pub(in crate::archive) parts: Vec<u32>,
}

impl IndexEntry {
    /// Returns the range of each part in the file, and the inflated size of the part, in bytes.
    pub(in crate::archive) fn parts(&self) -> impl Iterator<Item = (Range<u64>, usize)> {
        let mut begin = self.range.start;
        let mut left = self.size;
        self.parts.iter().map(move |length| {
            let size = left.min(PART.into());
            let range = begin..begin.saturating_add((*length).into());
            begin = range.end;
            left -= size;
            (range, size as usize)
        })
    }

    /// Returns whether the entry has at most `most` bytes and is within the limits on compression.
    pub(crate) fn is_within(&self, most: u64, limits: &Limits) -> bool {
        let length = self.range.end.saturating_sub(self.range.start);
        self.size <= most && limits.allow_expansion(length, self.size)
    }
}

impl Index {
    /// How many bytes from the start of a compressed archive contain its whole index, if it has one.
    pub const HEAD: usize = 64 * 1024;

    /// Creates the index of a compressed archive, whose parts have the size [`PART`].
    pub(in crate::archive) fn new(entries: Vec<IndexEntry>) -> Self {
        let part = Some(PART);
        Self { part, entries }
    }

    /// Returns whether a reader of the whole archive would stay within the limits on compression, by the sizes in the
    /// index. Such a reader accepts every archive that passes this check, although it checks at other positions.
    pub(in crate::archive) fn is_believable(&self, limits: &Limits) -> bool {
        // The end of the tar takes two blocks. The header and the padding of an entry together take at most two.
        let mut inflated = 2 * BLOCK;
        self.entries.iter().all(|entry| {
            inflated = inflated.saturating_add(2 * BLOCK);
            entry.parts().all(|(range, size)| {
                inflated = inflated.saturating_add(size as u64);
                limits.allow_expansion(range.start, inflated)
            })
        })
    }

    /// Returns the entries when their parts have the size that [`ArchiveWriter`](crate::archive::ArchiveWriter)
    /// gives them, and no part grows by compression.
    pub(in crate::archive) fn in_parts(&self) -> Option<&[IndexEntry]> {
        let mut lengths = self.entries.iter().flat_map(|entry| &entry.parts);
        let usual = self.part == Some(PART) && lengths.all(|length| *length <= PART + PART / 16);
        usual.then_some(&self.entries)
    }

    /// Returns the index of the archive in `file`. For a compressed archive, it is the index in the archive, or `None`.
    /// For a plain tar, it is made from the headers of the tar.
    ///
    /// # Errors
    ///
    /// [`Error::Stream`] when `file` cannot be read.
    pub fn locate(file: &mut (impl Read + Seek), limits: &Limits) -> Result<Option<Self>, Error> {
        let mut head = Vec::new();
        file.rewind().map_err(Error::Stream)?;
        let read = file.by_ref().take(Self::HEAD as u64).read_to_end(&mut head);
        read.map_err(Error::Stream)?;
        if is_compressed(&head) {
            return Ok(Self::from_head(&head));
        }
        file.rewind().map_err(Error::Stream)?;
        Ok(Self::walk(file, limits))
    }

    /// Returns the index of a plain tar by its headers. `None` unless all entries are files without extension headers.
    fn walk(file: &mut (impl Read + Seek), limits: &Limits) -> Option<Self> {
        let mut entries = Vec::new();
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries_with_seek().ok()?.raw(true) {
            let entry = entry.ok()?;
            let is_file = entry.header().entry_type().is_file();
            let size = entry.size();
            if !is_file || entries.len() >= limits.entries || size > limits.executable {
                return None;
            }
            let offset = entry.raw_file_position();
            entries.push(IndexEntry {
                name: String::from_utf8(entry.path_bytes().into_owned()).ok()?,
                range: offset..offset.checked_add(size)?,
                size,
                parts: Vec::new(),
            });
        }
        Some(Self {
            part: None,
            entries,
        })
    }

    /// Returns where the executable for `target` is.
    #[must_use]
    pub fn executable(&self, target: &Target) -> Option<&IndexEntry> {
        self.entry(&format!("{target}.bin"))
    }

    /// Returns where the claims are.
    #[must_use]
    #[cfg_attr(
        not(feature = "internals"),
        allow(dead_code, reason = "only tests read claims by the index")
    )]
    pub fn claims(&self) -> Option<&IndexEntry> {
        self.entry(CLAIMS_ENTRY)
    }

    /// Returns where the WIT world is.
    #[must_use]
    pub fn world(&self) -> Option<&IndexEntry> {
        self.entry(WORLD_ENTRY)
    }

    /// Returns the entry of this name. `None` when no entry or more than one has the name.
    fn entry(&self, name: &str) -> Option<&IndexEntry> {
        let mut found = self.entries.iter().filter(|entry| entry.name == name);
        let entry = found.next()?;
        found.next().is_none().then_some(entry)
    }

    /// Returns the unverified content of `entry`. `input` begins at the start of the entry's range. The reader reads
    /// and returns at most as many bytes as the index gives.
    pub fn read<'a>(&self, entry: &IndexEntry, input: impl Read + 'a) -> Box<dyn Read + 'a> {
        let input = input.take(entry.range.end.saturating_sub(entry.range.start));
        if self.part.is_some() {
            Box::new(DeflateDecoder::new(input).take(entry.size))
        } else {
            Box::new(input.take(entry.size))
        }
    }

    /// Returns the unverified content of `entry` in `file`, the archive of this index.
    pub(in crate::archive) fn open<'a>(
        &self,
        entry: &IndexEntry,
        file: &'a mut (impl Read + Seek),
    ) -> io::Result<Box<dyn Read + 'a>> {
        file.seek(SeekFrom::Start(entry.range.start))?;
        Ok(self.read(entry, file))
    }
}
