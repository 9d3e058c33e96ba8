//! The index of an archive: where each entry is, so that one can be read without the others.
//!
//! A compressed archive carries it in the extra field of its gzip header: `field.rs` has the layout.
//! For a plain archive the same is found by walking over the headers of the tar.
//!
//! An index is a hint. Nothing that it leads to counts before its hash is the one that the signed claims
//! name.

mod field;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use flate2::read::DeflateDecoder;

use super::error::Error;
use super::gzip::PART;
use super::limits::Limits;
use super::tar_stream::BLOCK;
use super::target::Target;
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

/// Where the entries of an archive are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The size of a part once inflated; `None` when nothing is compressed.
    part: Option<u32>,
    entries: Vec<IndexEntry>,
}

/// Where one entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Its name in the tar, such as `x86_64-linux.bin`.
    pub name: String,
    /// Its bytes in the file.
    pub range: Range<u64>,
    /// Its size in bytes, once inflated.
    pub size: u64,
    /// How many bytes of the range belong to each of its parts; empty when nothing is compressed.
    pub(super) parts: Vec<u32>,
}

impl IndexEntry {
    /// Where each part is in the file, and its size once inflated.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Range<u64>, usize)> {
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

    /// Whether it is, by what the index says, no larger than `most` and no bomb.
    pub(crate) fn is_within(&self, most: u64, limits: &Limits) -> bool {
        let length = self.range.end.saturating_sub(self.range.start);
        self.size <= most && limits.allow_expansion(length, self.size)
    }
}

impl Index {
    /// How many bytes from the start of a compressed archive always hold its index, if it has one.
    pub const HEAD: usize = 64 * 1024;

    /// An index of a compressed archive, whose parts have the size [`PART`].
    pub(super) fn new(entries: Vec<IndexEntry>) -> Self {
        let part = Some(PART);
        Self { part, entries }
    }

    /// Whether, on the way from the start to the end, no more is inflated than the limits allow for what
    /// was read by then. Who reads the archive from its start asks at other places; what passes here
    /// passes there.
    pub(super) fn is_believable(&self, limits: &Limits) -> bool {
        // The end of the tar is two blocks, and so are the header and the padding of an entry at most.
        let mut inflated = 2 * BLOCK;
        self.entries.iter().all(|entry| {
            inflated = inflated.saturating_add(2 * BLOCK);
            entry.parts().all(|(range, size)| {
                inflated = inflated.saturating_add(size as u64);
                limits.allow_expansion(range.start, inflated)
            })
        })
    }

    /// The entries, when their parts are as long as we make them; none may take much more room
    /// compressed than not.
    pub(super) fn in_parts(&self) -> Option<&[IndexEntry]> {
        let mut lengths = self.entries.iter().flat_map(|entry| &entry.parts);
        let usual = self.part == Some(PART) && lengths.all(|length| *length <= PART + PART / 16);
        usual.then_some(&self.entries)
    }

    /// The index of the archive in `file`: the one it carries, or, for a plain tar, the one that its
    /// headers make up.
    ///
    /// # Errors
    ///
    /// [`Error::Stream`] when `file` cannot be read.
    pub fn locate(file: &mut (impl Read + Seek), limits: &Limits) -> Result<Option<Self>, Error> {
        file.rewind().map_err(Error::Stream)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(Self::HEAD as u64)
            .read_to_end(&mut head)
            .map_err(Error::Stream)?;
        if head.starts_with(&[0x1f, 0x8b]) {
            return Ok(Self::from_head(&head));
        }
        file.rewind().map_err(Error::Stream)?;
        Ok(Self::walk(file, limits))
    }

    /// The entries of a plain tar, without reading what is in them. `None` for whatever is not as simple
    /// as what we write ourselves.
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

    /// Where the executable for `target` is.
    #[must_use]
    pub fn executable(&self, target: &Target) -> Option<&IndexEntry> {
        self.entry(&format!("{target}.bin"))
    }

    /// Where the claims are.
    #[must_use]
    pub fn claims(&self) -> Option<&IndexEntry> {
        self.entry(CLAIMS_ENTRY)
    }

    /// Where the WIT world is.
    #[must_use]
    pub fn world(&self) -> Option<&IndexEntry> {
        self.entry(WORLD_ENTRY)
    }

    /// Where the entry of this name is; `None` also when two have it.
    fn entry(&self, name: &str) -> Option<&IndexEntry> {
        let mut found = self.entries.iter().filter(|entry| entry.name == name);
        let entry = found.next()?;
        found.next().is_none().then_some(entry)
    }

    /// The content of `entry`, unverified, from a reader that stands at the start of its range: at most
    /// as many bytes as the index says, of input and of output.
    pub fn read<'a>(&self, entry: &IndexEntry, input: impl Read + 'a) -> Box<dyn Read + 'a> {
        let input = input.take(entry.range.end.saturating_sub(entry.range.start));
        if self.part.is_some() {
            Box::new(DeflateDecoder::new(input).take(entry.size))
        } else {
            Box::new(input.take(entry.size))
        }
    }

    /// The content of `entry`, unverified, from the file that the index is of.
    pub(super) fn open<'a>(
        &self,
        entry: &IndexEntry,
        file: &'a mut (impl Read + Seek),
    ) -> io::Result<Box<dyn Read + 'a>> {
        file.seek(SeekFrom::Start(entry.range.start))?;
        Ok(self.read(entry, file))
    }
}
