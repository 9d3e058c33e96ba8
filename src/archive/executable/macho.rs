//! Mach-O: the load commands.

use std::ops::Range;

use object::macho::{self, MachHeader32, MachHeader64, VersionMinCommand};
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64, Segment};
use object::{Endianness, FileKind};

use super::facts::{ExecutableFacts, Linking};
use super::file_parts::FileParts;

/// How many bytes of each part of a universal file are kept. Load commands take less.
const COMMANDS: u64 = 64 * 1024;
/// The most load commands that are read.
const MOST_COMMANDS: usize = 512;
/// The most parts of a universal file.
const MOST_PARTS: usize = 30;

/// Adds the facts of a Mach-O file. Those of a universal file are the facts of its arm64 part, or else of its first
/// part.
pub(super) fn read(kind: FileKind, data: &FileParts, facts: &mut ExecutableFacts) {
    let parts = parts(kind, data);
    let arm = parts.iter().find(|part| part.0 == macho::CPU_TYPE_ARM64);
    let offset = match kind {
        FileKind::MachO32 | FileKind::MachO64 => Some(0),
        _ => arm.or(parts.first()).map(|part| part.1),
    };
    let Some(offset) = offset else {
        return;
    };
    if commands::<MachHeader64<Endianness>>(data, offset, facts).is_none() {
        commands::<MachHeader32<Endianness>>(data, offset, facts);
    }
}

/// Returns the parts of the file that [`read`] needs, by the headers in `head`, the start of the file.
pub(super) fn wanted(kind: FileKind, head: &FileParts) -> Vec<Range<u64>> {
    let parts = parts(kind, head).into_iter();
    parts
        .map(|(_, start)| start..start.saturating_add(COMMANDS))
        .collect()
}

/// Returns the processor and the offset of each part of a universal file.
fn parts(kind: FileKind, data: &FileParts) -> Vec<(macho::CpuType, u64)> {
    fn of<F: FatArch>(arches: &[F]) -> Vec<(macho::CpuType, u64)> {
        let arches = arches.iter().take(MOST_PARTS);
        arches
            .map(|arch| (arch.cputype(), arch.offset().into()))
            .collect()
    }
    match kind {
        FileKind::MachOFat32 => MachOFatFile32::parse(data).map(|file| of(file.arches())),
        FileKind::MachOFat64 => MachOFatFile64::parse(data).map(|file| of(file.arches())),
        _ => return Vec::new(),
    }
    .unwrap_or_default()
}

/// Reads the load commands of the file, or of the part of a universal file, that begins at `offset`. Returns `None`
/// when another type of header is there.
fn commands<H: MachHeader<Endian = Endianness>>(
    data: &FileParts,
    offset: u64,
    facts: &mut ExecutableFacts,
) -> Option<()> {
    let header = H::parse(data, offset).ok()?;
    let endian = header.endian().ok()?;
    let commands = header.load_commands(endian, data, offset).ok()?;
    let (mut signed, mut debug) = (false, false);
    let mut linking = Linking::Static;
    for command in commands.take(MOST_COMMANDS) {
        let command = command.ok()?;
        match command.cmd() {
            macho::LC_LOAD_DYLINKER => linking = Linking::Dynamic,
            macho::LC_CODE_SIGNATURE => {
                let signature = command
                    .data::<macho::LinkeditDataCommand<Endianness>>()
                    .ok()?;
                signed = signature.datasize.get(endian) > 0;
            }
            macho::LC_BUILD_VERSION => {
                if let Some((build, _)) = command.build_version(endian).ok()?
                    && build.platform.get(endian) == macho::PLATFORM_MACOS
                {
                    facts.macos = Some(version(build.minos.get(endian)));
                }
            }
            macho::LC_VERSION_MIN_MACOSX => {
                let lowest = command.data::<VersionMinCommand<Endianness>>().ok()?;
                facts.macos = Some(version(lowest.version.get(endian)));
            }
            _ => {}
        }
        if let Some(library) = command.dylib().ok()? {
            let is_own = command.cmd() == macho::LC_ID_DYLIB;
            let name = command.string(endian, library.dylib.name).ok()?;
            let name = std::str::from_utf8(name).ok().filter(|_| !is_own);
            facts.libraries.extend(name.map(str::to_owned));
        }
        if let Some((segment, _)) = H::Segment::from_command(command).ok()? {
            debug |= segment.name() == b"__DWARF" && segment.filesize(endian).into() > 0;
        }
    }
    facts.linking = Some(linking);
    facts.signed = Some(signed);
    facts.debug = Some(debug);
    Some(())
}

/// Returns a version as Apple writes it: `11.0`, and `10.15.4`.
fn version(packed: macho::Version) -> String {
    let [high, low, minor, update] = packed.0.to_be_bytes();
    let major = u16::from_be_bytes([high, low]);
    match update {
        0 => format!("{major}.{minor}"),
        _ => format!("{major}.{minor}.{update}"),
    }
}
