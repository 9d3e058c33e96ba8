//! From a file, or the parts of it that were kept, to the facts.

use std::io::{Read, Seek};
use std::path::Path;

use object::{FileKind, ReadRef};

use crate::archive::error::Error;
use crate::content::open_regular;

use super::facts::{ExecutableFacts, ExecutableFormat};
use super::header::{Executable, HEAD};
use super::windows::Windows;
use super::{elf, macho, pe};

impl ExecutableFacts {
    /// Reads the headers of the executable at `path`: some kilobytes of it, and at most 4 MB. A file that is not an
    /// executable has an unknown format.
    ///
    /// # Errors
    ///
    /// [`Error::Read`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let opened = open_regular(path).and_then(|(mut file, _)| Self::read_from(&mut file));
        opened.map_err(|source| Error::read(path, source))
    }

    /// Reads the headers of an executable from its start on, as [`read`](Self::read) does.
    pub(crate) fn read_from(file: &mut (impl Read + Seek)) -> std::io::Result<Self> {
        Windows::parse(file, of_windows)
    }
}

/// Returns what the parts in memory say.
pub(super) fn of_windows(data: &Windows) -> ExecutableFacts {
    let mut facts = ExecutableFacts::default();
    let length = data.len().unwrap_or_default();
    let Ok(head) = data.read_bytes_at(0, length.min(HEAD)) else {
        return facts;
    };
    let header = Executable::recognise(head);
    facts.format = header.format();
    facts.processors = header.processor_names();
    if facts.format == ExecutableFormat::Script {
        facts.interpreter = header.command_line().map(str::to_owned);
    }
    // The header has no known processor, or too many of them.
    let Ok(kind) = FileKind::parse(data) else {
        return facts;
    };
    match facts.format {
        ExecutableFormat::Elf => elf::read(kind, data, &mut facts),
        ExecutableFormat::MachO => macho::read(kind, data, &mut facts),
        ExecutableFormat::Pe => pe::read(kind, data, &mut facts),
        ExecutableFormat::Script | ExecutableFormat::Unknown => {}
    }
    facts
}

/// Returns the newest version of the GNU C library that the shared library at `path` defines, if it is part of one for
/// one of `processors`. `None` for every other file.
pub(crate) fn defined_glibc(path: &Path, processors: &[String]) -> Option<String> {
    let (mut file, _) = open_regular(path).ok()?;
    let defined = |data: &Windows| {
        let length = data.len().unwrap_or_default();
        let head = data.read_bytes_at(0, length.min(HEAD)).ok()?;
        let names = Executable::recognise(head).processor_names();
        let kind = FileKind::parse(data).ok()?;
        let is_right = names.iter().any(|name| processors.contains(name));
        elf::defined_glibc(kind, data).filter(|_| is_right)
    };
    Windows::parse(&mut file, defined).ok()?
}
