//! Reading the facts from a file, or from the parts of it that are in memory.

use std::io::{Read, Seek};
use std::path::Path;

use object::{FileKind, ReadRef};

use crate::archive::error::Error;
use crate::content::open_regular;

use super::facts::{ExecutableFacts, ExecutableFormat};
use super::file_parts::FileParts;
use super::header::{Executable, HEAD};
use super::{elf, macho, pe};

impl ExecutableFacts {
    /// Reads the headers of the executable at `path`, usually some kilobytes and at most 4 MiB. A file that is not an
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
        FileParts::parse(file, facts_of_parts)
    }
}

/// Returns the facts that the parts in memory contain.
pub(super) fn facts_of_parts(data: &FileParts) -> ExecutableFacts {
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
    // The library cannot parse the header, or the header names too many processors.
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

/// Returns the newest version of the GNU C library that the file at `path` defines. `None` when the file is not part of
/// that library, or not for one of `processors`.
pub(crate) fn defined_glibc(path: &Path, processors: &[String]) -> Option<String> {
    let (mut file, _) = open_regular(path).ok()?;
    let defined = |data: &FileParts| {
        let length = data.len().unwrap_or_default();
        let head = data.read_bytes_at(0, length.min(HEAD)).ok()?;
        let names = Executable::recognise(head).processor_names();
        let kind = FileKind::parse(data).ok()?;
        let is_right = names.iter().any(|name| processors.contains(name));
        elf::defined_glibc(kind, data).filter(|_| is_right)
    };
    FileParts::parse(&mut file, defined).ok()?
}
