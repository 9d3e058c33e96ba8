//! The format and the processors of an executable, by its header.
//!
//! Only these two are compared with a target. No other field tells whether a host can run the file: Linux, for example,
//! runs ELF files with any `EI_OSABI`.

use std::fmt;
use std::io::{self, Read};

use object::elf::{FileHeader32, FileHeader64};
use object::macho::{MachHeader32, MachHeader64};
use object::read::elf::FileHeader;
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64};
use object::{Endianness, FileKind, LittleEndian, elf, macho, pe};

use crate::archive::platform_names;
use crate::archive::target::Target;

use super::facts::ExecutableFormat;

/// How many bytes of a file are read. They include the headers of all three formats.
pub(super) const HEAD: u64 = 64 * 1024;

/// The longest first line of a script, in bytes; Linux reads 256.
const LONGEST_LINE: usize = 256;

/// The most processors of a universal Mach-O file. A Java class file begins with the same bytes. It has its version, at
/// least 45, where a Mach-O file has the number of processors.
const MOST_PROCESSORS: usize = 30;

/// The format and the processors that the header of a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    format: ExecutableFormat,
    /// The processors. A universal Mach-O file has several.
    processors: Vec<Processor>,
    /// The program that runs a script, with its arguments, as its first line names it.
    interpreter: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Processor {
    /// A processor with a name of [`std::env::consts::ARCH`].
    Known(&'static str),
    /// A processor without such a name, by its number in the format.
    Other(u32),
}

impl Executable {
    /// Reads at most the first 64 KiB. Bytes that are not an executable give an unknown format.
    pub(crate) fn read(input: impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        input.take(HEAD).read_to_end(&mut head)?;
        Ok(Self::recognise(&head))
    }

    /// Reads the headers in `head`, the first bytes of a file.
    pub(super) fn recognise(head: &[u8]) -> Self {
        let known = match FileKind::parse(head) {
            Ok(FileKind::Elf32) => elf::<FileHeader32<Endianness>>(head),
            Ok(FileKind::Elf64) => elf::<FileHeader64<Endianness>>(head),
            Ok(FileKind::MachO32) => mach_o::<MachHeader32<Endianness>>(head),
            Ok(FileKind::MachO64) => mach_o::<MachHeader64<Endianness>>(head),
            Ok(FileKind::MachOFat32) => universal(MachOFatFile32::parse(head).map(|f| f.arches())),
            Ok(FileKind::MachOFat64) => universal(MachOFatFile64::parse(head).map(|f| f.arches())),
            Ok(FileKind::Pe32 | FileKind::Pe64) => pe(head),
            _ if head.starts_with(b"#!") => Some((ExecutableFormat::Script, Vec::new())),
            _ => None,
        };
        let (format, processors) = known
            .filter(|(_, processors)| processors.len() <= MOST_PROCESSORS)
            .unwrap_or((ExecutableFormat::Unknown, Vec::new()));
        Self {
            format,
            processors,
            interpreter: interpreter(head).filter(|_| format == ExecutableFormat::Script),
        }
    }

    /// Returns the format of the file.
    pub(super) fn format(&self) -> ExecutableFormat {
        self.format
    }

    /// Returns the names of the processors, without those that have no name.
    pub(super) fn processor_names(&self) -> Vec<String> {
        let names = self
            .processors
            .iter()
            .filter_map(|processor| match processor {
                Processor::Known(name) => Some((*name).to_owned()),
                Processor::Other(_) => None,
            });
        names.collect()
    }

    /// Returns what follows `#!` in the first line of a script.
    pub(super) fn command_line(&self) -> Option<&str> {
        self.interpreter.as_deref()
    }

    /// Returns the program that a host needs to run this file for `target`, if the file is a script.
    #[must_use]
    pub(crate) fn interpreter(&self, target: &Target) -> Option<&str> {
        let runs_scripts = !target.as_str().ends_with("-windows");
        self.interpreter.as_deref().filter(|_| runs_scripts)
    }

    /// Returns whether this file can be an executable for `target`. Every file suits a target whose processor or system
    /// is unknown.
    #[must_use]
    pub(crate) fn suits(&self, target: &Target) -> bool {
        let usual = target.usual_name();
        let name = usual.as_deref().unwrap_or(target.as_str());
        let Some((processor, system)) = name.split_once('-') else {
            return true;
        };
        match (processor_of(processor), format_of(system)) {
            (Some(processor), Some(format)) => {
                self.format == format && self.processors.contains(&Processor::Known(processor))
            }
            _ => true,
        }
    }
}

impl fmt::Display for Executable {
    /// Completes a sentence that begins with "it is".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            ExecutableFormat::Elf => "an ELF file (Linux, FreeBSD, Android)",
            ExecutableFormat::MachO => "a Mach-O file (macOS, iOS)",
            ExecutableFormat::Pe => "a PE file (Windows)",
            ExecutableFormat::Script => "a script",
            ExecutableFormat::Unknown => "not an executable: neither ELF, Mach-O nor PE",
        };
        formatter.write_str(format)?;
        for (number, processor) in self.processors.iter().enumerate() {
            let link = if number == 0 { " for" } else { " and" };
            match processor {
                Processor::Known(name) => write!(formatter, "{link} {name}")?,
                Processor::Other(code) => write!(formatter, "{link} processor {code}")?,
            }
        }
        Ok(())
    }
}

/// Returns the text after `#!` in the first line, unless it is too long or has control characters.
fn interpreter(head: &[u8]) -> Option<String> {
    let line = head
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let is_readable = line.len() <= LONGEST_LINE && !line.chars().any(char::is_control);
    (is_readable && !line.is_empty()).then(|| line.to_owned())
}

fn format_of(system: &str) -> Option<ExecutableFormat> {
    match system {
        "linux" | "freebsd" | "android" => Some(ExecutableFormat::Elf),
        "macos" | "ios" => Some(ExecutableFormat::MachO),
        "windows" => Some(ExecutableFormat::Pe),
        _ => None,
    }
}

/// Returns the processor that the first half of a target names, if its code in an executable is known.
fn processor_of(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 12] = [
        "arm",
        "x86",
        "x86_64",
        "aarch64",
        "mips",
        "mips64",
        "powerpc",
        "powerpc64",
        "riscv32",
        "riscv64",
        "s390x",
        "loongarch64",
    ];
    let family = platform_names::family(name);
    KNOWN.into_iter().find(|known| *known == family)
}

fn elf<H: FileHeader<Endian = Endianness>>(
    head: &[u8],
) -> Option<(ExecutableFormat, Vec<Processor>)> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let wide = header.is_type_64();
    let machine = header.e_machine(endian);
    let name = match machine {
        elf::EM_386 => "x86",
        elf::EM_X86_64 => "x86_64",
        elf::EM_ARM => "arm",
        elf::EM_AARCH64 => "aarch64",
        // The ABI n32 has 32-bit pointers on a 64-bit processor.
        elf::EM_MIPS if wide || header.e_flags(endian).0 & elf::EF_MIPS_ABI2.0 != 0 => "mips64",
        elf::EM_MIPS => "mips",
        elf::EM_PPC => "powerpc",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        elf::EM_RISCV if wide => "riscv64",
        elf::EM_RISCV => "riscv32",
        other => {
            return Some((
                ExecutableFormat::Elf,
                vec![Processor::Other(other.0.into())],
            ));
        }
    };
    Some((ExecutableFormat::Elf, vec![Processor::Known(name)]))
}

fn mach_o<H: MachHeader<Endian = Endianness>>(
    head: &[u8],
) -> Option<(ExecutableFormat, Vec<Processor>)> {
    let header = H::parse(head, 0).ok()?;
    let endian = header.endian().ok()?;
    Some((ExecutableFormat::MachO, vec![cpu(header.cputype(endian))]))
}

fn universal<F: FatArch>(
    arches: object::Result<&[F]>,
) -> Option<(ExecutableFormat, Vec<Processor>)> {
    let processors = arches.ok()?.iter().map(|arch| cpu(arch.cputype()));
    Some((ExecutableFormat::MachO, processors.collect()))
}

fn cpu(kind: macho::CpuType) -> Processor {
    match kind {
        macho::CPU_TYPE_X86 => Processor::Known("x86"),
        macho::CPU_TYPE_X86_64 => Processor::Known("x86_64"),
        macho::CPU_TYPE_ARM => Processor::Known("arm"),
        macho::CPU_TYPE_ARM64 => Processor::Known("aarch64"),
        macho::CPU_TYPE_POWERPC => Processor::Known("powerpc"),
        macho::CPU_TYPE_POWERPC64 => Processor::Known("powerpc64"),
        other => Processor::Other(other.0),
    }
}

fn pe(head: &[u8]) -> Option<(ExecutableFormat, Vec<Processor>)> {
    let offset = pe::ImageDosHeader::parse(head).ok()?.nt_headers_offset();
    let rest = head.get(usize::try_from(offset).ok()?..)?;
    let (headers, _) = object::pod::from_bytes::<pe::ImageNtHeaders32>(rest).ok()?;
    let machine = headers.file_header.machine.get(LittleEndian);
    let name = match machine {
        pe::IMAGE_FILE_MACHINE_I386 => "x86",
        pe::IMAGE_FILE_MACHINE_AMD64 => "x86_64",
        pe::IMAGE_FILE_MACHINE_ARMNT => "arm",
        pe::IMAGE_FILE_MACHINE_ARM64 => "aarch64",
        other => return Some((ExecutableFormat::Pe, vec![Processor::Other(other.0.into())])),
    };
    Some((ExecutableFormat::Pe, vec![Processor::Known(name)]))
}

#[cfg(test)]
#[path = "tests/header.rs"]
mod tests;
