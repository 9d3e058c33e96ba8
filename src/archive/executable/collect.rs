//! Reading the facts of an executable while its bytes pass, as in an archive that is verified.

use std::ops::Range;

use object::FileKind;

use super::facts::ExecutableFacts;
use super::header::HEAD;
use super::read::of_windows;
use super::windows::Windows;
use super::{elf, macho, pe};

/// How many bytes from the start of an executable are kept. Linkers put what the dynamic linker reads there.
const START: usize = 512 * 1024;
/// The most bytes of another part that are kept.
const LONGEST: u64 = 256 * 1024;
/// The most other parts.
const MOST: usize = 8;

/// Keeps the parts of an executable that its facts are in: at most 2.5 MB of it. Some facts of unusual files, whose
/// tables are elsewhere, stay unknown.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    length: u64,
    start: Vec<u8>,
    /// The other parts: where each ends, and what has been kept of it.
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

    /// Returns what the executable, which has ended, says.
    pub(crate) fn finish(self) -> ExecutableFacts {
        let parts = self.parts.into_iter().flatten();
        let mut kept: Vec<_> = parts.map(|part| (part.range.start, part.kept)).collect();
        kept.push((0, self.start));
        of_windows(&Windows::new(self.length, kept))
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
            // Offsets within `bytes`, which is in memory.
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
        let head = Windows::new(u64::MAX, vec![(0, self.start.clone())]);
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
