//! Reading the facts of an executable from a stream, such as an archive while it is verified.

use std::ops::Range;

use object::FileKind;

use super::facts::ExecutableFacts;
use super::file_parts::FileParts;
use super::header::HEAD;
use super::read::facts_of_parts;
use super::{elf, macho, pe};

/// How many bytes from the start of an executable are kept. Linkers put the data for the dynamic linker there.
const START: usize = 512 * 1024;
/// The most bytes that are kept of each part besides the start.
const LONGEST: u64 = 256 * 1024;
/// The most parts that are kept besides the start.
const MOST: usize = 8;

/// Keeps the parts of an executable that contain its facts, at most 2.5 MiB. Some facts stay unknown when an unusual
/// file has its tables elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    length: u64,
    start: Vec<u8>,
    /// The parts besides the start. `None` until the first [`HEAD`] bytes, which tell where they are, have been added.
    parts: Option<Vec<Part>>,
}

#[derive(Debug)]
struct Part {
    range: Range<u64>,
    kept: Vec<u8>,
}

impl Collector {
    /// Adds the next bytes of the executable.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.parts.is_none() {
            let until_planned = (HEAD as usize).saturating_sub(self.start.len());
            let (first, others) = rest.split_at_checked(until_planned).unwrap_or((rest, &[]));
            self.keep(first);
            rest = others;
            if self.start.len() >= HEAD as usize {
                self.parts = Some(self.plan());
            }
        }
        self.keep(rest);
    }

    /// Returns the facts of the executable after its last byte was added.
    pub(crate) fn finish(self) -> ExecutableFacts {
        let parts = self.parts.into_iter().flatten();
        let mut kept: Vec<_> = parts.map(|part| (part.range.start, part.kept)).collect();
        kept.push((0, self.start));
        facts_of_parts(&FileParts::new(self.length, kept))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = START.saturating_sub(self.start.len());
        let at_start = bytes.get(..room).unwrap_or(bytes);
        if self.start.len() as u64 == self.length {
            self.start.extend_from_slice(at_start);
        }
        let end = self.length + bytes.len() as u64;
        for part in self.parts.iter_mut().flatten() {
            let from = part.range.start.max(self.length);
            let until = part.range.end.min(end);
            // These are offsets within `bytes`, so that the casts lose nothing.
            let range = from.saturating_sub(self.length) as usize
                ..until.saturating_sub(self.length) as usize;
            part.kept
                .extend_from_slice(bytes.get(range).unwrap_or_default());
        }
        self.length = end;
    }

    /// Returns the parts that are needed besides the start, which has been kept up to `HEAD`.
    fn plan(&self) -> Vec<Part> {
        // The length is not known yet: the headers may name any offset.
        let head = FileParts::new(u64::MAX, vec![(0, self.start.clone())]);
        let wanted = match FileKind::parse(&head) {
            Ok(kind @ (FileKind::Elf32 | FileKind::Elf64)) => elf::wanted(kind, &head),
            Ok(kind @ (FileKind::MachOFat32 | FileKind::MachOFat64)) => macho::wanted(kind, &head),
            Ok(kind @ (FileKind::Pe32 | FileKind::Pe64)) => pe::wanted(kind, &head),
            _ => Vec::new(),
        };
        let wanted = wanted.into_iter().take(MOST);
        let parts = wanted.map(|range| {
            let start = range.start.max(self.start.len() as u64);
            let end = range.end.min(start.saturating_add(LONGEST));
            Part {
                range: start..end,
                kept: Vec::new(),
            }
        });
        parts.filter(|part| !part.range.is_empty()).collect()
    }
}

#[cfg(test)]
#[path = "tests/collect.rs"]
mod tests;
