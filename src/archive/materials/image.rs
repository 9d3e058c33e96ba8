//! Finds the records of compilers in ELF, Mach-O and PE files, without reading the whole file.

use std::io::{Read, Seek, SeekFrom};

use object::elf::{FileHeader32, FileHeader64};
use object::macho::{MachHeader32, MachHeader64};
use object::pe::{ImageNtHeaders32, ImageNtHeaders64};
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64, Section, Segment};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};
use object::{Endianness, FileKind, LittleEndian, ReadRef, elf, pe};

use super::error::MaterialsError;

/// The most sections and segments of a file. Executables have fewer than a hundred.
const MOST: u32 = 4096;

/// The most bytes of the load commands of a Mach-O file. Executables have some kilobytes.
const MOST_COMMANDS: u32 = 4 << 20;

/// The most programs in a universal Mach-O file.
const MOST_PROGRAMS: usize = 30;

/// The places of the records in a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    /// The section in which `cargo auditable` writes the list of crates.
    pub(super) crates: Option<Span>,
    /// The section or segment in which Go writes its build information.
    pub(super) go: Option<Span>,
    /// The parts that are loaded into memory.
    pub(super) regions: Vec<Region>,
    /// The position of the program in the file, in bytes. It is 0 except in a universal Mach-O file.
    pub(super) start: u64,
}

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// A part of a file that is loaded to an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) address: u64,
    pub(super) span: Span,
}

impl Image {
    /// Returns the part of the file that is loaded to the `size` addresses from `address` on. `None` when no region has
    /// all of them.
    pub(super) fn loaded(&self, address: u64, size: u64) -> Option<Span> {
        self.regions.iter().find_map(|region| {
            let skipped = address.checked_sub(region.address)?;
            (skipped.checked_add(size)? <= region.span.size).then_some(())?;
            let offset = region.span.offset.checked_add(skipped)?;
            Some(Span { offset, size })
        })
    }

    /// Adds `start`, the position of the program in a universal file, to the offsets of all parts.
    fn starting_at(mut self, start: u64) -> Self {
        let regions = self.regions.iter_mut().map(|region| &mut region.span);
        for span in regions.chain(&mut self.crates).chain(&mut self.go) {
            span.offset = span.offset.saturating_add(start);
        }
        Self { start, ..self }
    }
}

impl From<(u64, u64)> for Span {
    fn from((offset, size): (u64, u64)) -> Self {
        Self { offset, size }
    }
}

/// Reads a part of a file, as far as the file has it. The caller bounds its size.
pub(super) fn read_at(
    input: &mut (impl Read + Seek),
    span: Span,
) -> Result<Vec<u8>, MaterialsError> {
    let mut bytes = Vec::new();
    // Seeking to an offset that no file can have is an error.
    let end = input.seek(SeekFrom::End(0)).map_err(MaterialsError::Read)?;
    if span.offset >= end {
        return Ok(bytes);
    }
    input
        .seek(SeekFrom::Start(span.offset))
        .and_then(|_| input.take(span.size).read_to_end(&mut bytes))
        .map_err(MaterialsError::Read)?;
    Ok(bytes)
}

/// Returns the programs in a file. Files of other formats, and damaged ones, have none.
pub(super) fn images(input: &mut (impl Read + Seek)) -> Vec<Image> {
    let cache = ReadCache::new(input);
    let data = &cache;
    let one = match FileKind::parse(data) {
        Ok(FileKind::Elf32) => elf::<FileHeader32<Endianness>, _>(data),
        Ok(FileKind::Elf64) => elf::<FileHeader64<Endianness>, _>(data),
        Ok(FileKind::MachO32) => mach_o::<MachHeader32<Endianness>, _>(data),
        Ok(FileKind::MachO64) => mach_o::<MachHeader64<Endianness>, _>(data),
        Ok(FileKind::Pe32) => pe::<ImageNtHeaders32, _>(data),
        Ok(FileKind::Pe64) => pe::<ImageNtHeaders64, _>(data),
        Ok(FileKind::MachOFat32) => {
            let parts = MachOFatFile32::parse(data).map(|file| parts(file.arches()));
            return universal(parts.unwrap_or_default(), &cache);
        }
        Ok(FileKind::MachOFat64) => {
            let parts = MachOFatFile64::parse(data).map(|file| parts(file.arches()));
            return universal(parts.unwrap_or_default(), &cache);
        }
        _ => None,
    };
    one.into_iter().collect()
}

fn parts<F: FatArch>(arches: &[F]) -> Vec<Span> {
    let arches = arches.iter().take(MOST_PROGRAMS);
    arches.map(|arch| arch.file_range().into()).collect()
}

fn universal<R: Read + Seek>(parts: Vec<Span>, cache: &ReadCache<R>) -> Vec<Image> {
    let image = |part: Span| {
        let data = cache.range(part.offset, part.size);
        let image = match FileKind::parse(data) {
            Ok(FileKind::MachO32) => mach_o::<MachHeader32<Endianness>, _>(data),
            Ok(FileKind::MachO64) => mach_o::<MachHeader64<Endianness>, _>(data),
            _ => None,
        };
        Some(image?.starting_at(part.offset))
    };
    parts.into_iter().filter_map(image).collect()
}

fn elf<'data, H, R>(data: R) -> Option<Image>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let most = header
        .shnum(endian, data)
        .ok()?
        .max(header.phnum(endian, data).ok()?);
    if most > MOST {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let loaded = segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
    let sections = header.sections(endian, data).ok()?;
    let section = |name: &[u8]| {
        let (_, section) = sections.section_by_name(endian, name)?;
        section.file_range(endian).map(Span::from)
    };
    // A stripped executable may have no section headers. In this case, Go itself searches the data segment.
    let writable = |segment: &&H::ProgramHeader| {
        let flags = segment.p_flags(endian);
        flags & elf::PF_W == elf::PF_W && flags & elf::PF_X != elf::PF_X
    };
    let data_segment = || {
        loaded
            .clone()
            .find(writable)
            .map(|segment| segment.file_range(endian))
    };
    let region = |segment: &H::ProgramHeader| Region {
        address: segment.p_vaddr(endian).into(),
        span: segment.file_range(endian).into(),
    };
    Some(Image {
        crates: section(b".dep-v0"),
        go: section(b".go.buildinfo").or_else(|| data_segment().map(Span::from)),
        regions: loaded.clone().map(region).collect(),
        start: 0,
    })
}

fn mach_o<'data, H, R>(data: R) -> Option<Image>
where
    H: MachHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data, 0).ok()?;
    let endian = header.endian().ok()?;
    if header.sizeofcmds(endian) > MOST_COMMANDS {
        return None;
    }
    let mut commands = header.load_commands(endian, data, 0).ok()?;
    let mut image = Image::default();
    while let Ok(Some(command)) = commands.next() {
        let Ok(Some((segment, section_data))) = H::Segment::from_command(command) else {
            continue;
        };
        image.regions.push(Region {
            address: segment.vmaddr(endian).into(),
            span: segment.file_range(endian).into(),
        });
        for section in segment.sections(endian, section_data).unwrap_or_default() {
            let span = section.file_range(endian, section.offset(endian).into());
            match (segment.name(), section.name()) {
                (b"__DATA", b".dep-v0") => image.crates = span.map(Span::from),
                (_, b"__go_buildinfo") => image.go = span.map(Span::from),
                _ => {}
            }
        }
    }
    Some(image)
}

fn pe<'data, H, R>(data: R) -> Option<Image>
where
    H: ImageNtHeaders,
    R: ReadRef<'data>,
{
    let mut offset = pe::ImageDosHeader::parse(data)
        .ok()?
        .nt_headers_offset()
        .into();
    let (headers, _) = H::parse(data, &mut offset).ok()?;
    let sections = headers.sections(data, offset).ok()?;
    let base = headers.optional_header().image_base();
    let mut image = Image::default();
    for section in sections.iter() {
        let (offset, size) = section.pe_file_range();
        let span = Span {
            offset: offset.into(),
            size: size.into(),
        };
        let address = section.virtual_address.get(LittleEndian);
        image.regions.push(Region {
            address: base.saturating_add(address.into()),
            span,
        });
        let flags = section.characteristics.get(LittleEndian);
        let is = |flag| flags & flag == flag;
        let is_data = is(pe::IMAGE_SCN_CNT_INITIALIZED_DATA) && is(pe::IMAGE_SCN_MEM_WRITE);
        if section.raw_name() == b".dep-v0" {
            image.crates = Some(span);
        } else if is_data && image.go.is_none() {
            // In PE files, Go has no section of its own. Its record is in the data section.
            image.go = Some(span);
        }
    }
    Some(image)
}
