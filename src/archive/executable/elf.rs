//! ELF: the program headers, the data for the dynamic linker, and the byte order and Arm version, which the name of a
//! target leaves open.
//!
//! The dynamic section is found by the program headers, because section headers can be stripped. Only the section
//! headers lead to debug information and to the attributes of Arm.

use std::ops::Range;

use object::elf::{self, FileHeader32, FileHeader64, Vernaux, Verneed};
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, ReadRef};

use super::arm_attributes::arm_version;
use super::facts::{ExecutableFacts, Linking};
use super::file_parts::FileParts;
use super::version::{newest, release_of};

/// The longest path of an interpreter in bytes. Linux has the same limit.
const LONGEST_PATH: u64 = 4096;
/// The most names of libraries that are read, and the most directories in which they are looked for.
const MOST_NAMES: usize = 256;
/// The most entries of the dynamic section that are read.
const MOST_ENTRIES: u64 = 4096;
/// The most libraries whose versions are read, and the most versions of each library.
const MOST_VERSIONS: u64 = 1024;
/// How many bytes before and after the section headers are kept. The names of the sections are there.
const AROUND_SECTIONS: u64 = 64 * 1024;
/// The most bytes of the attributes of Arm that are read. Compilers write less than a hundred.
const MOST_ATTRIBUTES: u64 = 64 * 1024;

/// Adds the facts of an ELF file.
pub(super) fn read(kind: FileKind, data: &FileParts, facts: &mut ExecutableFacts) {
    let _ = match kind {
        FileKind::Elf32 => add::<FileHeader32<Endianness>>(data, facts),
        FileKind::Elf64 => add::<FileHeader64<Endianness>>(data, facts),
        _ => None,
    };
}

/// Returns the parts of the file that [`read`] needs, by the headers in `head`, the start of the file.
pub(super) fn wanted(kind: FileKind, head: &FileParts) -> Vec<Range<u64>> {
    let wanted = match kind {
        FileKind::Elf32 => parts::<FileHeader32<Endianness>>(head),
        FileKind::Elf64 => parts::<FileHeader64<Endianness>>(head),
        _ => None,
    };
    wanted.unwrap_or_default()
}

/// Returns the newest version of the GNU C library that a shared library defines, and the number of its processor.
pub(super) fn defined_glibc(kind: FileKind, data: &FileParts) -> Option<String> {
    match kind {
        FileKind::Elf32 => defined::<FileHeader32<Endianness>>(data),
        FileKind::Elf64 => defined::<FileHeader64<Endianness>>(data),
        _ => None,
    }
}

fn add<H: FileHeader<Endian = Endianness>>(
    data: &FileParts,
    facts: &mut ExecutableFacts,
) -> Option<()> {
    let image = Image::<H>::parse(data)?;
    facts.big_endian = image.endian == Endianness::Big;
    facts.arm_version = image.arm_version();
    // A file without segments to load cannot be started, so it has no other facts.
    image.segment(elf::PT_LOAD)?;
    facts.debug = image.has_debug_information();
    facts.interpreter = image.interpreter();
    let Some(dynamic) = image.segment(elf::PT_DYNAMIC) else {
        facts.linking = Some(match facts.interpreter {
            Some(_) => Linking::Dynamic,
            None => Linking::Static,
        });
        return Some(());
    };
    let dynamic = image.dynamic(dynamic)?;
    let is_dynamic = facts.interpreter.is_some() || !dynamic.needed.is_empty();
    facts.linking = Some(if is_dynamic {
        Linking::Dynamic
    } else {
        Linking::Static
    });
    let text = |offset: &u32| readable(dynamic.strings?.get(*offset).ok()?);
    facts.libraries = dynamic
        .needed
        .iter()
        .take(MOST_NAMES)
        .filter_map(text)
        .collect();
    let paths = dynamic.paths.iter().take(1).filter_map(text);
    let paths: Vec<_> = paths
        .flat_map(|paths| paths.split(':').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    facts.library_paths = paths
        .into_iter()
        .filter(|path| !path.is_empty())
        .take(MOST_NAMES)
        .collect();
    facts.glibc = image.needed_glibc(&dynamic);
    Some(())
}

fn parts<H: FileHeader<Endian = Endianness>>(head: &FileParts) -> Option<Vec<Range<u64>>> {
    let image = Image::<H>::parse(head)?;
    let segments = [elf::PT_INTERP, elf::PT_DYNAMIC];
    let segments = segments.iter().filter_map(|kind| image.segment(*kind));
    let mut wanted: Vec<_> = segments
        .map(|segment| {
            let (start, size) = segment.file_range(image.endian);
            start..start.saturating_add(size)
        })
        .collect();
    let sections: u64 = image.header.e_shoff(image.endian).into();
    if sections > 0 {
        let count = u64::from(image.header.e_shnum(image.endian));
        let size = count * u64::from(image.header.e_shentsize(image.endian));
        let end = sections
            .saturating_add(size)
            .saturating_add(AROUND_SECTIONS);
        wanted.push(sections.saturating_sub(AROUND_SECTIONS)..end);
    }
    Some(wanted)
}

fn defined<H: FileHeader<Endian = Endianness>>(data: &FileParts) -> Option<String> {
    let image = Image::<H>::parse(data)?;
    let dynamic = image.dynamic(image.segment(elf::PT_DYNAMIC)?)?;
    image.defined_glibc(&dynamic)
}

/// The headers of an ELF file.
struct Image<'w, H: FileHeader<Endian = Endianness>> {
    data: &'w FileParts,
    header: &'w H,
    endian: Endianness,
    segments: &'w [H::ProgramHeader],
}

/// The entries of the dynamic section.
#[derive(Default)]
struct Dynamic<'w> {
    strings: Option<StringTable<'w, &'w FileParts>>,
    /// Where the names of the needed libraries are in the table of strings.
    needed: Vec<u32>,
    /// Where the texts with the directories of libraries are in the table of strings.
    paths: Vec<u32>,
    /// The offset in the file, and the number, of the records of needed versions.
    needs: Option<(u64, u64)>,
    /// The offset in the file, and the number, of the records of defined versions.
    defines: Option<(u64, u64)>,
}

impl<'w, H: FileHeader<Endian = Endianness>> Image<'w, H> {
    fn parse(data: &'w FileParts) -> Option<Self> {
        let header = H::parse(data).ok()?;
        let endian = header.endian().ok()?;
        Some(Self {
            data,
            header,
            endian,
            segments: header.program_headers(endian, data).ok()?,
        })
    }

    fn segment(&self, kind: elf::ProgramType) -> Option<&'w H::ProgramHeader> {
        self.segments
            .iter()
            .find(|segment| segment.p_type(self.endian) == kind)
    }

    fn interpreter(&self) -> Option<String> {
        let (start, size) = self.segment(elf::PT_INTERP)?.file_range(self.endian);
        let bytes = self
            .data
            .read_bytes_at(start, size.min(LONGEST_PATH))
            .ok()?;
        readable(bytes.split(|byte| *byte == 0).next()?)
    }

    fn dynamic(&self, segment: &H::ProgramHeader) -> Option<Dynamic<'w>> {
        let (start, size) = segment.file_range(self.endian);
        let count = (size / size_of::<H::Dyn>() as u64).min(MOST_ENTRIES);
        let entries = self
            .data
            .read_slice_at::<H::Dyn>(start, usize::try_from(count).ok()?)
            .ok()?;
        let mut found = Dynamic::default();
        let (mut strings, mut size) = (None, 0);
        let (mut needs, mut defines) = ((None, 0), (None, 0));
        let mut run_paths = Vec::new();
        for entry in entries {
            let value: u64 = entry.d_val(self.endian).into();
            let offset = || u32::try_from(value).ok();
            match entry.d_tag(self.endian) {
                elf::DT_NULL => break,
                elf::DT_STRTAB => strings = self.offset_of(value),
                elf::DT_STRSZ => size = value,
                elf::DT_NEEDED => found.needed.extend(offset()),
                elf::DT_RPATH => found.paths.extend(offset()),
                elf::DT_RUNPATH => run_paths.extend(offset()),
                elf::DT_VERNEED => needs.0 = self.offset_of(value),
                elf::DT_VERNEEDNUM => needs.1 = value,
                elf::DT_VERDEF => defines.0 = self.offset_of(value),
                elf::DT_VERDEFNUM => defines.1 = value,
                _ => {}
            }
        }
        // The linker ignores DT_RPATH where there is DT_RUNPATH.
        if !run_paths.is_empty() {
            found.paths = run_paths;
        }
        found.strings =
            strings.map(|start| StringTable::new(self.data, start, start.saturating_add(size)));
        found.needs = needs.0.map(|start| (start, needs.1));
        found.defines = defines.0.map(|start| (start, defines.1));
        Some(found)
    }

    /// Returns the offset in the file of the byte that is at `address` once the file is loaded.
    fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|segment| {
            if segment.p_type(self.endian) != elf::PT_LOAD {
                return None;
            }
            let begin: u64 = segment.p_vaddr(self.endian).into();
            let (start, size) = segment.file_range(self.endian);
            let inside = address.checked_sub(begin).filter(|inside| *inside < size)?;
            start.checked_add(inside)
        })
    }

    /// Returns the newest version of the GNU C library that any needed library has to define.
    fn needed_glibc(&self, dynamic: &Dynamic<'w>) -> Option<String> {
        let (mut position, count) = dynamic.needs?;
        let strings = dynamic.strings?;
        let mut found = None;
        for _ in 0..count.min(MOST_VERSIONS) {
            let library = self.data.read_at::<Verneed<Endianness>>(position).ok()?;
            let mut at = position.checked_add(library.vn_aux.get(self.endian).into())?;
            for _ in 0..u64::from(library.vn_cnt.get(self.endian)).min(MOST_VERSIONS) {
                let version = self.data.read_at::<Vernaux<Endianness>>(at).ok()?;
                // When a weak version is missing, the dynamic linker only warns.
                let is_weak = version.vna_flags.get(self.endian).0 & elf::VER_FLG_WEAK.0 != 0;
                let name = strings.get(version.vna_name.get(self.endian)).ok();
                if let Some(release) = name.filter(|_| !is_weak).and_then(release_of) {
                    found = newest(found, release);
                }
                at = match version.vna_next.get(self.endian) {
                    0 => break,
                    next => at.checked_add(next.into())?,
                };
            }
            position = match library.vn_next.get(self.endian) {
                0 => break,
                next => position.checked_add(next.into())?,
            };
        }
        found
    }

    /// Returns the newest version of the GNU C library that this library defines.
    fn defined_glibc(&self, dynamic: &Dynamic<'w>) -> Option<String> {
        let (mut position, count) = dynamic.defines?;
        let strings = dynamic.strings?;
        let mut found = None;
        for _ in 0..count.min(MOST_VERSIONS) {
            let version = self
                .data
                .read_at::<elf::Verdef<Endianness>>(position)
                .ok()?;
            let at = position.checked_add(version.vd_aux.get(self.endian).into())?;
            // The first name is the name of the version. The names of its parents follow.
            let name = self.data.read_at::<elf::Verdaux<Endianness>>(at).ok()?;
            let name = strings.get(name.vda_name.get(self.endian)).ok();
            if let Some(release) = name.and_then(release_of) {
                found = newest(found, release);
            }
            position = match version.vd_next.get(self.endian) {
                0 => break,
                next => position.checked_add(next.into())?,
            };
        }
        found
    }

    /// Returns the version of the processor that the attributes of a 32-bit Arm file name.
    fn arm_version(&self) -> Option<u8> {
        if self.header.e_machine(self.endian) != elf::EM_ARM {
            return None;
        }
        let mut sections = self
            .header
            .section_headers(self.endian, self.data)
            .ok()?
            .iter();
        let section =
            sections.find(|section| section.sh_type(self.endian) == elf::SHT_ARM_ATTRIBUTES)?;
        let (start, size) = section.file_range(self.endian)?;
        let attributes = self
            .data
            .read_bytes_at(start, size.min(MOST_ATTRIBUTES))
            .ok()?;
        arm_version(attributes, self.endian == Endianness::Big)
    }

    fn has_debug_information(&self) -> Option<bool> {
        let sections = self.header.section_headers(self.endian, self.data).ok()?;
        if sections.is_empty() {
            return Some(false);
        }
        self.has_named_debug_sections(sections).or_else(|| {
            // The names are missing when only parts of the file are known. Sections that are not loaded and have no
            // flags belong to DWARF, which has at least three of them.
            let is_like_debug = |section: &&H::SectionHeader| {
                let flags: u64 = section.sh_flags(self.endian).0;
                let size: u64 = section.sh_size(self.endian).into();
                let is_plain = flags & !elf::SHF_COMPRESSED.0 == 0;
                is_plain && size > 0 && section.sh_type(self.endian) == elf::SHT_PROGBITS
            };
            match sections.iter().filter(is_like_debug).count() {
                0 => Some(false),
                1 | 2 => None,
                _ => Some(true),
            }
        })
    }

    fn has_named_debug_sections(&self, sections: &'w [H::SectionHeader]) -> Option<bool> {
        let header = self.header;
        let strings = header
            .section_strings(self.endian, self.data, sections)
            .ok()?;
        let is_debug = |section: &H::SectionHeader| {
            let name = section.name(self.endian, strings).ok()?;
            let size: u64 = section.sh_size(self.endian).into();
            let has_content = size > 0 && section.sh_type(self.endian) != elf::SHT_NOBITS;
            Some(has_content && matches!(name, b".debug_info" | b".zdebug_info"))
        };
        let mut found = false;
        for section in sections {
            found |= is_debug(section)?;
        }
        Some(found)
    }
}

/// Returns a text of the file without control characters.
fn readable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
#[path = "tests/elf.rs"]
mod tests;
