//! The format of the index.
//!
//! In a compressed archive, the index is the subfield `PR` of the extra field in the gzip header (RFC 1952, section
//! 2.3.1.1). Manifests have the content of the subfield as an annotation. All numbers are little-endian.
//!
//! ```text
//! 'P' 'R'  u16 length of what follows
//!   u8  version, 1
//!   u32 the size of a part, in bytes once inflated; 0 for a plain tar
//!   u16 number of entries, then for each:
//!     u8 length of its name, its name as in the tar
//!     u64 offset of its first compressed byte in the file
//!     u64 its size in bytes once inflated
//!     u32 for each of its parts: the number of its compressed bytes
//! ```
//!
//! An entry is cut into parts of the same size. Only the last part may be shorter. Each part is raw deflate: whole
//! blocks that end at a whole byte and refer to nothing before the part, so that it can be inflated alone. Empty
//! entries and the entries of a plain tar have no parts.

use crate::archive::format::gzip::{PART, is_compressed};

use super::places::{Index, IndexEntry};

const SUBFIELD: [u8; 2] = *b"PR";
const VERSION: u8 = 1;
/// The size of a part in the index of a plain tar.
const PLAIN: u32 = 0;
/// How many bytes the version, the size of a part and the number of entries take.
const FIXED: usize = 1 + 4 + 2;
/// How many bytes an entry takes besides its name and its parts.
const PER_ENTRY: usize = 1 + 2 * 8;
/// How many bytes a part takes.
const PER_PART: usize = 4;
/// The position of the extra field, which begins with its length, in a gzip header.
const EXTRA: usize = 10;

impl Index {
    /// Returns the index in `head`, the first [`HEAD`](Self::HEAD) bytes of a compressed archive, or all bytes of a
    /// smaller one. `None` when there is no index or when it is malformed: an index is only a hint.
    #[must_use]
    pub fn from_head(head: &[u8]) -> Option<Self> {
        let flags = *head.get(3)?;
        if !is_compressed(head) || flags & 4 == 0 {
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
                return Self::decode(content).filter(|index| index.part.is_some());
            }
        }
    }

    /// Returns the length of the extra field for entries of these names and sizes. 0 when it would exceed
    /// [`HEAD`](Self::HEAD).
    pub(in crate::archive) fn extra_length<'n>(
        entries: impl Iterator<Item = (&'n str, u64)>,
    ) -> u16 {
        let lengths = entries.map(|(name, size)| {
            let parts = size.div_ceil(PART.into()).saturating_mul(PER_PART as u64);
            parts.saturating_add((PER_ENTRY + name.len()) as u64)
        });
        let fixed = (2 + 2 + FIXED) as u64;
        match u16::try_from(lengths.fold(fixed, u64::saturating_add)) {
            Ok(length) if usize::from(length) + EXTRA + 2 <= Self::HEAD => length,
            _ => 0,
        }
    }

    /// Returns the extra field, which has the length that [`extra_length`](Self::extra_length) gives.
    pub(in crate::archive) fn extra(&self) -> Vec<u8> {
        let content = self.content(PART);
        let mut extra = SUBFIELD.to_vec();
        extra.extend_from_slice(&(content.len() as u16).to_le_bytes());
        extra.extend(content);
        extra
    }

    /// Returns the content of the subfield. `None` when the index has more entries or longer names than
    /// the numbers in it can count.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut names = self.entries.iter().map(|entry| entry.name.len());
        let fits = u16::try_from(self.entries.len()).is_ok()
            && names.all(|length| u8::try_from(length).is_ok());
        fits.then(|| self.content(self.part.unwrap_or(PLAIN)))
    }

    fn content(&self, part: u32) -> Vec<u8> {
        let mut content = vec![VERSION];
        content.extend_from_slice(&part.to_le_bytes());
        content.extend_from_slice(&(self.entries.len() as u16).to_le_bytes());
        for entry in &self.entries {
            content.push(entry.name.len() as u8);
            content.extend_from_slice(entry.name.as_bytes());
            for number in [entry.range.start, entry.size] {
                content.extend_from_slice(&number.to_le_bytes());
            }
            for length in &entry.parts {
                content.extend_from_slice(&length.to_le_bytes());
            }
        }
        content
    }

    /// Decodes the bytes that [`encode`](Self::encode) returns. `None` when they are malformed.
    #[must_use]
    pub fn decode(content: &[u8]) -> Option<Self> {
        let mut fields = Fields(content);
        if fields.bytes(1)? != [VERSION] {
            return None;
        }
        let part = Some(fields.u32()?).filter(|part| *part != PLAIN);
        let count = fields.u16()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let length = *fields.bytes(1)?.first()?;
            let name = std::str::from_utf8(fields.bytes(length.into())?).ok()?;
            let offset = fields.u64()?;
            let size = fields.u64()?;
            let (parts, length) = match part {
                Some(part) => fields.parts(size.div_ceil(part.into()))?,
                None => (Vec::new(), size),
            };
            let end = offset.checked_add(length)?;
            entries.push(IndexEntry {
                name: name.to_owned(),
                range: offset..end,
                size,
                parts,
            });
        }
        Some(Self { part, entries })
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

    /// Returns the lengths of `count` parts, and their sum.
    fn parts(&mut self, count: u64) -> Option<(Vec<u32>, u64)> {
        let (mut parts, mut sum) = (Vec::new(), 0_u64);
        for _ in 0..count {
            // When `count` is too large, this fails at the end of the bytes.
            let length = self.u32()?;
            sum = sum.checked_add(length.into())?;
            parts.push(length);
        }
        Some((parts, sum))
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
#[path = "tests/field.rs"]
mod tests;
