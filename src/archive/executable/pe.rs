//! PE: the libraries that Windows loads, and the sections.

use std::ops::Range;

use object::pe::{
    self, ImageDosHeader, ImageImportDescriptor, ImageNtHeaders32, ImageNtHeaders64,
    ImageSectionHeader,
};
use object::read::pe::ImageNtHeaders;
use object::{FileKind, LittleEndian as LE, ReadRef};

use super::facts::{ExecutableFacts, Linking};
use super::file_parts::FileParts;

/// The most libraries that are read.
const MOST_LIBRARIES: u64 = 256;
/// How many bytes of the table of imports, and of the names of sections, are kept.
const KEPT: u64 = 64 * 1024;
/// The longest name of a library in bytes.
const LONGEST_NAME: u64 = 256;
/// The size of a symbol in bytes. The long names of sections follow the table of symbols.
const SYMBOL: u64 = 18;

/// Adds the facts of a PE file.
pub(super) fn read(kind: FileKind, data: &FileParts, facts: &mut ExecutableFacts) {
    let _ = match kind {
        FileKind::Pe32 => add::<ImageNtHeaders32>(data, facts),
        FileKind::Pe64 => add::<ImageNtHeaders64>(data, facts),
        _ => None,
    };
}

/// Returns the parts of the file that [`read`] needs, by the headers in `head`, the start of the file.
pub(super) fn wanted(kind: FileKind, head: &FileParts) -> Vec<Range<u64>> {
    let image = match kind {
        FileKind::Pe32 => Image::parse::<ImageNtHeaders32>(head),
        FileKind::Pe64 => Image::parse::<ImageNtHeaders64>(head),
        _ => None,
    };
    let Some(image) = image else {
        return Vec::new();
    };
    let starts = [image.imports, image.strings].into_iter().flatten();
    // The names of the libraries are around the table.
    let wanted = starts.map(|start| start.saturating_sub(KEPT)..start.saturating_add(KEPT));
    wanted.collect()
}

fn add<H: ImageNtHeaders>(data: &FileParts, facts: &mut ExecutableFacts) -> Option<()> {
    let image = Image::parse::<H>(data)?;
    facts.debug = image.has_debug_information();
    facts.linking = Some(Linking::Static);
    let Some(mut position) = image.imports else {
        return Some(());
    };
    for _ in 0..MOST_LIBRARIES {
        let library = data.read_at::<ImageImportDescriptor>(position).ok()?;
        if library.is_null() {
            break;
        }
        facts.linking = Some(Linking::Dynamic);
        let name = image.offset_of(library.name.get(LE))?;
        let name = data
            .read_bytes_at_until(name..name.saturating_add(LONGEST_NAME), 0)
            .ok()?;
        let name = std::str::from_utf8(name).ok()?;
        facts.libraries.push(name.to_owned());
        position = position.checked_add(size_of::<ImageImportDescriptor>() as u64)?;
    }
    Some(())
}

/// The headers of a PE file.
struct Image<'w> {
    data: &'w FileParts,
    sections: Vec<&'w ImageSectionHeader>,
    /// The offset of the table of imports.
    imports: Option<u64>,
    /// The offset of the long names of sections.
    strings: Option<u64>,
}

impl<'w> Image<'w> {
    fn parse<H: ImageNtHeaders>(data: &'w FileParts) -> Option<Self> {
        let mut offset = ImageDosHeader::parse(data).ok()?.nt_headers_offset().into();
        let (headers, directories) = H::parse(data, &mut offset).ok()?;
        let sections = headers.sections(data, offset).ok()?;
        let symbols = headers.file_header();
        let table = u64::from(symbols.pointer_to_symbol_table.get(LE));
        let count = u64::from(symbols.number_of_symbols.get(LE));
        let mut image = Self {
            data,
            sections: sections.iter().collect(),
            imports: None,
            strings: (table > 0).then_some(table + count * SYMBOL),
        };
        let imports = directories.get(pe::IMAGE_DIRECTORY_ENTRY_IMPORT);
        let address = imports
            .map(|imports| imports.address_range().0)
            .filter(|address| *address > 0);
        image.imports = address.and_then(|address| image.offset_of(address));
        Some(image)
    }

    /// Returns the offset in the file of the byte that is at `address` once the file is loaded.
    fn offset_of(&self, address: u32) -> Option<u64> {
        self.sections.iter().find_map(|section| {
            let inside = address.checked_sub(section.virtual_address.get(LE))?;
            let start = u64::from(section.pointer_to_raw_data.get(LE));
            (inside < section.size_of_raw_data.get(LE)).then(|| start + u64::from(inside))
        })
    }

    fn has_debug_information(&self) -> Option<bool> {
        let mut found = false;
        for section in &self.sections {
            let end = section.name.iter().position(|byte| *byte == 0);
            let name = section.name.get(..end.unwrap_or(section.name.len()))?;
            let name = match name.strip_prefix(b"/") {
                None => name,
                // A name of more than eight bytes is in the table of long names. The header has its offset there.
                Some(place) => {
                    let place: u64 = std::str::from_utf8(place).ok()?.parse().ok()?;
                    let start = self.strings?.checked_add(place)?;
                    let range = start..start.saturating_add(LONGEST_NAME);
                    self.data.read_bytes_at_until(range, 0).ok()?
                }
            };
            found |= matches!(name, b".debug_info" | b".zdebug_info");
        }
        Some(found)
    }
}
