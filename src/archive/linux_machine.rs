//! What the ELF header of an executable for Linux says about its machine, beyond the name of a target.
//!
//! A target such as `mips64-linux` leaves the order of bytes open, and `arm-linux` the version of the processor. The
//! platform of a container image names both.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PT_INTERP, SHT_ARM_ATTRIBUTES};
use object::read::elf::{FileHeader, ProgramHeader};

use super::arm_attributes::arm_version;
use super::error::Error;

/// How many bytes of a file are read. The program headers and the name of the interpreter are usually within them.
const HEAD: u64 = 64 * 1024;
/// The most bytes of section headers, and of attributes, that are read.
const MOST: u64 = 1024 * 1024;

/// The machine that an ELF file for Linux is made for. A file of another format has none of these properties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LinuxMachine {
    /// Whether the most significant byte comes first.
    pub(crate) big_endian: bool,
    /// The version of the Arm architecture, between 4 and 9, if the file says so.
    pub(crate) arm: Option<u8>,
    /// The program that loads the shared libraries of a dynamic executable.
    pub(crate) interpreter: Option<String>,
}

impl LinuxMachine {
    /// Reads the executable at `path`. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Read`].
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let read = || {
            let mut file = File::open(path)?;
            let mut head = Vec::new();
            (&mut file).take(HEAD).read_to_end(&mut head)?;
            let mut machine = match head.get(4) {
                Some(1) => Self::in_head::<FileHeader32<Endianness>>(&head),
                Some(2) => Self::in_head::<FileHeader64<Endianness>>(&head),
                _ => None,
            }
            .unwrap_or_default();
            machine.arm = version_of_arm(&head, &mut file)?;
            Ok(machine)
        };
        read().map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })
    }

    fn in_head<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Self> {
        let header = H::parse(head).ok()?;
        let endian = header.endian().ok()?;
        let headers = header.program_headers(endian, head).unwrap_or_default();
        let interpreter = headers
            .iter()
            .find(|header| header.p_type(endian) == PT_INTERP);
        let interpreter = interpreter.and_then(|header| header.interpreter(endian, head).ok()?);
        Some(Self {
            big_endian: endian == Endianness::Big,
            arm: None,
            interpreter: interpreter
                .map(|name| String::from_utf8_lossy(name).escape_debug().to_string()),
        })
    }
}

/// Returns the version of the processor that the attributes of a 32-bit file name. They are near the end of the file.
fn version_of_arm(head: &[u8], file: &mut File) -> io::Result<Option<u8>> {
    let Ok(header) = FileHeader32::<Endianness>::parse(head) else {
        return Ok(None);
    };
    let Ok(endian) = header.endian() else {
        return Ok(None);
    };
    let size = u64::from(header.e_shentsize(endian)) * u64::from(header.e_shnum.get(endian));
    let offset = u64::from(header.e_shoff.get(endian));
    let sections = read_at(file, offset, size)?;
    let entries = sections.chunks_exact(usize::from(header.e_shentsize(endian)).max(1));
    for entry in entries {
        let Ok((section, _)) =
            object::pod::from_bytes::<object::elf::SectionHeader32<Endianness>>(entry)
        else {
            return Ok(None);
        };
        if section.sh_type.get(endian) == SHT_ARM_ATTRIBUTES {
            let offset = u64::from(section.sh_offset.get(endian));
            let attributes = read_at(file, offset, section.sh_size.get(endian).into())?;
            return Ok(arm_version(&attributes, endian == Endianness::Big));
        }
    }
    Ok(None)
}

/// Returns at most `size` bytes of the file from `offset`, and no more than [`MOST`].
fn read_at(file: &mut File, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(size.min(MOST)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "tests/linux_machine.rs"]
mod tests;
