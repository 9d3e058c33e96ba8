//! The index of an archive: where each entry is, so that one can be read without the others.
//!
//! A compressed archive carries it in the extra field of its gzip header (RFC 1952, section 2.3.1.1), as
//! the subfield `PR`. All numbers are little-endian.
//!
//! ```text
//! 'P' 'R'  u16 length of what follows
//!   u8  version, 1
//!   u16 number of entries, then for each:
//!     u8 length of its name, its name as in the tar
//!     u64 offset of its first compressed byte in the file
//!     u64 number of compressed bytes: raw deflate, whole blocks, from a fresh state
//!     u64 its size in bytes once inflated
//! ```
//!
//! For a plain archive the same is found by walking over the headers of the tar.
//!
//! An index is a hint. Nothing that it leads to counts before its hash is the one that the signed claims
//! name.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use flate2::read::DeflateDecoder;

use super::error::Error;
use super::limits::Limits;
use super::target::Target;
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

const SUBFIELD: [u8; 2] = *b"PR";
const VERSION: u8 = 1;
/// Where the extra field begins in a gzip header, its length included.
const EXTRA: usize = 10;

/// Where the entries of an archive are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    compressed: bool,
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
}

impl IndexEntry {
    /// Whether it is, by what the index says, no larger than `most` and no bomb.
    pub(super) fn is_within(&self, most: u64, limits: &Limits) -> bool {
        let length = self.range.end.saturating_sub(self.range.start);
        self.size <= most && limits.allow_expansion(length, self.size)
    }
}

impl Index {
    /// How many bytes from the start of a compressed archive always hold its index, if it has one.
    pub const HEAD: usize = 64 * 1024;

    pub(super) fn new(compressed: bool, entries: Vec<IndexEntry>) -> Self {
        Self {
            compressed,
            entries,
        }
    }

    /// The index in the first [`HEAD`](Self::HEAD) bytes of a compressed archive, or in all of it when
    /// it is smaller. `None` when there is none that can be made sense of: other tools write none, and
    /// a hint is not worth an error.
    #[must_use]
    pub fn from_head(head: &[u8]) -> Option<Self> {
        let flags = *head.get(3)?;
        if !head.starts_with(&[0x1f, 0x8b]) || flags & 4 == 0 {
            return None;
        }
        let mut field = Fields(head.get(EXTRA..)?);
        let length = field.u16()?;
        let mut extra = Fields(field.bytes(length.into())?);
        loop {
            let name = extra.bytes(2)?;
            let length = extra.u16()?;
            let content = extra.bytes(length.into())?;
            if name == SUBFIELD {
                return Self::decode(content);
            }
        }
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
            });
        }
        Some(Self::new(false, entries))
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
        if self.compressed {
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

    /// How long the extra field is for entries of these names; 0 when it would be too long to be found
    /// within [`HEAD`](Self::HEAD).
    pub(super) fn extra_length<'n>(names: impl Iterator<Item = &'n str>) -> u16 {
        let length = names.map(|name| 1 + name.len() + 3 * 8).sum::<usize>() + 2 + 2 + 3;
        match u16::try_from(length) {
            Ok(length) if usize::from(length) + EXTRA + 2 <= Self::HEAD => length,
            _ => 0,
        }
    }

    /// The extra field: as long as [`extra_length`](Self::extra_length) says.
    pub(super) fn extra(&self) -> Vec<u8> {
        let mut content = vec![VERSION];
        content.extend_from_slice(&(self.entries.len() as u16).to_le_bytes());
        for entry in &self.entries {
            content.push(entry.name.len() as u8);
            content.extend_from_slice(entry.name.as_bytes());
            let length = entry.range.end - entry.range.start;
            for number in [entry.range.start, length, entry.size] {
                content.extend_from_slice(&number.to_le_bytes());
            }
        }
        let mut extra = SUBFIELD.to_vec();
        extra.extend_from_slice(&(content.len() as u16).to_le_bytes());
        extra.extend(content);
        extra
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let mut fields = Fields(content);
        if fields.bytes(1)? != [VERSION] {
            return None;
        }
        let count = fields.u16()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let length = *fields.bytes(1)?.first()?;
            let name = std::str::from_utf8(fields.bytes(length.into())?).ok()?;
            let offset = fields.u64()?;
            let end = offset.checked_add(fields.u64()?)?;
            entries.push(IndexEntry {
                name: name.to_owned(),
                range: offset..end,
                size: fields.u64()?,
            });
        }
        Some(Self::new(true, entries))
    }
}

/// Reads fields from the front of some bytes.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn index() -> Index {
        let entry = |name: &str, range, size| IndexEntry {
            name: name.to_owned(),
            range,
            size,
        };
        Index::new(
            true,
            vec![
                entry("claims.jwt", 600..1400, 790),
                entry("x86_64-linux.bin", 1450..9000, 20_000),
            ],
        )
    }

    fn head(extra: &[u8]) -> Vec<u8> {
        let mut head = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
        head.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        head.extend_from_slice(extra);
        head
    }

    #[test]
    fn an_index_survives_its_field_also_behind_others() {
        let index = index();
        let names = index.entries.iter().map(|entry| entry.name.as_str());
        let extra = index.extra();
        assert_eq!(extra.len(), usize::from(Index::extra_length(names)));
        assert_eq!(Index::from_head(&head(&extra)).as_ref(), Some(&index));
        let behind_another = [b"XY\x03\x00abc", extra.as_slice()].concat();
        assert_eq!(Index::from_head(&head(&behind_another)), Some(index));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_index_survives_its_field(
            entries in vec((".{0,60}", any::<u64>(), any::<u64>(), any::<u64>()), 0..20),
        ) {
            let entries = entries.into_iter().map(|(name, one, other, size)| IndexEntry {
                name,
                range: one.min(other)..one.max(other),
                size,
            });
            let index = Index::new(true, entries.collect());
            let names = index.entries.iter().map(|entry| entry.name.as_str());
            let extra = index.extra();
            prop_assert_eq!(extra.len(), usize::from(Index::extra_length(names)));
            prop_assert_eq!(Index::from_head(&head(&extra)), Some(index));
        }

        #[test]
        fn any_bytes_are_an_index_or_none(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Index::from_head(&bytes);
            if let Some(index) = Index::from_head(&head(&bytes)) {
                prop_assert!(bytes.windows(2).any(|name| name == SUBFIELD), "{index:?}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_index() {
        let whole = head(&index().extra());
        for length in 0..whole.len() {
            assert_eq!(Index::from_head(&whole[..length]), None, "{length}");
        }
        let mut other_version = whole.clone();
        other_version[16] = 2;
        assert_eq!(Index::from_head(&other_version), None);
        let mut overflowing = whole;
        let offset = overflowing.len() - 24;
        overflowing[offset..].fill(0xff);
        assert_eq!(Index::from_head(&overflowing), None);
    }

    #[test]
    fn an_index_that_would_not_fit_is_left_out() {
        let name = "x".repeat(96);
        assert!(Index::extra_length((0..500).map(|_| name.as_str())) > 0);
        assert_eq!(Index::extra_length((0..700).map(|_| name.as_str())), 0);
    }

    #[test]
    fn of_two_entries_with_one_name_none_is_found() {
        let mut index = index();
        let target = "x86_64-linux".parse().unwrap();
        assert!(index.executable(&target).is_some());
        index.entries.extend(index.entries.clone());
        assert!(index.executable(&target).is_none() && index.claims().is_none());
    }
}
