//! The parts of a file that are in memory. The parsers of the crate `object` read them.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use object::ReadRef;

/// The most bytes of a structure in a file. Larger structures are not read.
const LARGEST: u64 = 1024 * 1024;
/// The most bytes of a file that are read.
const MOST: u64 = 4 * 1024 * 1024;
/// The most times that one file is read.
const ROUNDS: usize = 64;
/// The fewest bytes that are read at a time.
const LEAST: u64 = 4096;
/// The longest text in a file, in bytes.
const LONGEST: u64 = 4096;

/// The parts of a file that are in memory. Reading other bytes fails, and their range is kept in
/// [`missing`](Self::missing).
#[derive(Debug, Default)]
pub(super) struct FileParts {
    length: u64,
    parts: Vec<(u64, Vec<u8>)>,
    missing: RefCell<Option<Range<u64>>>,
}

impl FileParts {
    /// Takes `parts` of a file of `length` bytes, each with its offset.
    pub(super) fn new(length: u64, parts: Vec<(u64, Vec<u8>)>) -> Self {
        Self {
            length,
            parts,
            missing: RefCell::default(),
        }
    }

    /// Runs `parse` and reads only the parts of `file` that it asks for. A part that is too large is not read, and
    /// `parse` gets an error for it.
    pub(super) fn parse<T>(
        file: &mut (impl Read + Seek),
        parse: impl Fn(&Self) -> T,
    ) -> io::Result<T> {
        let mut known = Self::new(file.seek(SeekFrom::End(0))?, Vec::new());
        let mut left = MOST;
        for _ in 0..ROUNDS {
            let parsed = parse(&known);
            let Some(missing) = known.missing.take() else {
                return Ok(parsed);
            };
            let start = missing.start;
            let end = missing.end.max(start.saturating_add(LEAST));
            let length = end.min(known.length).saturating_sub(start);
            left = left.saturating_sub(length);
            if length > LARGEST || length == 0 || left == 0 {
                return Ok(parsed);
            }
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(start))?;
            file.take(length).read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < length {
                // The file has become shorter since its length was read.
                return Ok(parsed);
            }
            known.parts.push((start, bytes));
        }
        Ok(parse(&known))
    }

    /// Returns the bytes from `offset` to the end of the part that has them.
    fn from(&self, offset: u64) -> Option<&[u8]> {
        let parts = self.parts.iter().filter_map(|(start, bytes)| {
            let skipped = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(skipped..).filter(|rest| !rest.is_empty())
        });
        parts.max_by_key(|rest| rest.len())
    }

    fn miss(&self, range: Range<u64>) {
        self.missing.borrow_mut().get_or_insert(range);
    }
}

impl<'w> ReadRef<'w> for &'w FileParts {
    fn len(self) -> Result<u64, ()> {
        Ok(self.length)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'w [u8], ()> {
        if size == 0 {
            return Ok(&[]);
        }
        let end = offset.checked_add(size).ok_or(())?;
        if end > self.length {
            return Err(());
        }
        let found = self.from(offset).and_then(|bytes| {
            let size = usize::try_from(size).ok()?;
            bytes.get(..size)
        });
        found.ok_or_else(|| self.miss(offset..end))
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'w [u8], ()> {
        let end = range.end.min(self.length);
        let most = end.checked_sub(range.start).ok_or(())?.min(LONGEST);
        let most_bytes = usize::try_from(most).map_err(|_| ())?;
        let known = self.from(range.start).unwrap_or_default();
        let known = known.get(..most_bytes).unwrap_or(known);
        if let Some(at) = known.iter().position(|byte| *byte == delimiter) {
            return known.get(..at).ok_or(());
        }
        if known.len() < most_bytes {
            self.miss(range.start..range.start + most);
        }
        Err(())
    }
}

#[cfg(test)]
#[path = "tests/file_parts.rs"]
mod tests;
