//! The build information that Go writes: the version of Go, and the modules of the program.
//!
//! Go's package `debug/buildinfo` defines the format. Since Go 1.18, both texts follow the header. Before that, the
//! header has the addresses of two Go strings.

use std::io::{Read, Seek};

use super::error::MaterialsError;
use super::image::{Image, Span, read_at};
use super::record::{Ecosystem, Materials, Package, PackageSource};

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: u64 = 32;
const ALIGNMENT: u64 = 16;

/// How many bytes are searched for the header. Go writes it near the start of the data.
const SEARCHED: u64 = 16 << 20;

/// How many bytes are searched at a time.
const CHUNK: u64 = 1 << 20;

/// The most bytes of both texts.
const LIMIT: u64 = 8 << 20;

/// The length of the marks around the list of modules.
const FRAME: usize = 16;

const INLINE: u8 = 2;
const BIG_ENDIAN: u8 = 1;

/// Reads the build information of a program. `None` when Go did not compile the program.
pub(super) fn read(
    input: &mut (impl Read + Seek),
    image: &Image,
) -> Result<Option<Materials>, MaterialsError> {
    let Some(header) = find(input, image)? else {
        return Ok(None);
    };
    let (version, modules) = texts(input, image, header)?;
    if version.is_empty() {
        return Ok(None);
    }
    Ok(Some(parse(&version, &unframed(&modules))))
}

/// Finds the header, and returns the rest of the section or segment from there on.
fn find(input: &mut (impl Read + Seek), image: &Image) -> Result<Option<Span>, MaterialsError> {
    let Some(span) = image.go else {
        return Ok(None);
    };
    let end = span.offset.saturating_add(span.size);
    let searched = end.min(span.offset.saturating_add(SEARCHED));
    let mut offset = span.offset;
    // An address and its place in the file have the same alignment, counted from the start of the program.
    let misaligned = offset.saturating_sub(image.start) % ALIGNMENT;
    if misaligned > 0 {
        offset = offset.saturating_add(ALIGNMENT - misaligned);
    }
    while offset < searched {
        let size = CHUNK.min(searched - offset);
        let bytes = read_at(input, Span { offset, size })?;
        let mut pieces = bytes.chunks(ALIGNMENT as usize);
        if let Some(position) = pieces.position(|piece| piece.starts_with(MAGIC)) {
            let offset = offset.saturating_add(position as u64 * ALIGNMENT);
            let size = end.saturating_sub(offset);
            return Ok(Some(Span { offset, size }));
        }
        if (bytes.len() as u64) < size {
            break;
        }
        offset = offset.saturating_add(size);
    }
    Ok(None)
}

/// Returns the version of Go, and the list of modules with its marks.
fn texts(
    input: &mut (impl Read + Seek),
    image: &Image,
    found: Span,
) -> Result<(String, Vec<u8>), MaterialsError> {
    let size = found.size.min(LIMIT + HEADER);
    let bytes = read_at(input, Span { size, ..found })?;
    let truncated = MaterialsError::Go("its header is truncated");
    let Some((header, rest)) = bytes.split_at_checked(HEADER as usize) else {
        return Err(truncated);
    };
    let (Some(&width), Some(&flags)) = (header.get(14), header.get(15)) else {
        return Err(truncated);
    };
    if flags & INLINE != 0 {
        let mut rest = rest;
        let version = inline(&mut rest)?.to_vec();
        return Ok((text(version)?, inline(&mut rest)?.to_vec()));
    }
    let pointers = Pointers {
        image,
        width: match width {
            4 | 8 => width.into(),
            _ => {
                return Err(MaterialsError::Go(
                    "its pointers have neither 4 nor 8 bytes",
                ));
            }
        },
        is_big_endian: flags & BIG_ENDIAN != 0,
    };
    let rest = header.get(16..).unwrap_or_default();
    let version = pointers.string(input, pointers.first(rest))?;
    let second = rest.get(pointers.width..).unwrap_or_default();
    let modules = pointers.string(input, pointers.first(second))?;
    Ok((text(version)?, modules))
}

fn text(bytes: Vec<u8>) -> Result<String, MaterialsError> {
    String::from_utf8(bytes).map_err(|_| MaterialsError::Go("a text is not UTF-8"))
}

/// Takes a length, and a text of that length, from the front of `bytes`.
fn inline<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], MaterialsError> {
    let truncated = MaterialsError::Go("a text is truncated, or larger than the limit");
    let mut length = 0_u64;
    for shift in (0..63).step_by(7) {
        let Some((&byte, rest)) = bytes.split_first() else {
            return Err(truncated);
        };
        *bytes = rest;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some((text, rest)) = bytes.split_at_checked(length) else {
                return Err(truncated);
            };
            *bytes = rest;
            return Ok(text);
        }
    }
    Err(truncated)
}

/// Follows the pointers of a program.
struct Pointers<'a> {
    image: &'a Image,
    /// The size of a pointer in bytes: 4 or 8.
    width: usize,
    is_big_endian: bool,
}

impl Pointers<'_> {
    /// Returns the first pointer in `bytes`, or 0 if they are too few.
    fn first(&self, bytes: &[u8]) -> u64 {
        let bytes = bytes.get(..self.width).unwrap_or_default();
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        if self.is_big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        }
    }

    /// Returns the Go string whose header is at `address`. The header has the address and the length of the text. A
    /// program without modules has the address 0 instead, which gives an empty text.
    fn string(
        &self,
        input: &mut (impl Read + Seek),
        address: u64,
    ) -> Result<Vec<u8>, MaterialsError> {
        if address == 0 {
            return Ok(Vec::new());
        }
        let outside = MaterialsError::Go("a pointer leads out of the program");
        let Some(header) = self.image.loaded(address, 2 * self.width as u64) else {
            return Err(outside);
        };
        let header = read_at(input, header)?;
        let length = self.first(header.get(self.width..).unwrap_or_default());
        if length > LIMIT {
            return Err(MaterialsError::TooLarge {
                what: "build information of Go",
                limit: LIMIT,
            });
        }
        let Some(bytes) = self.image.loaded(self.first(&header), length) else {
            return Err(outside);
        };
        read_at(input, bytes)
    }
}

/// Returns the list of modules without the marks around it. It is empty for a program that was built without modules.
fn unframed(modules: &[u8]) -> String {
    let end = modules.len().saturating_sub(FRAME);
    let framed = modules.get(FRAME..end).unwrap_or_default();
    if framed.ends_with(b"\n") {
        String::from_utf8_lossy(framed).into_owned()
    } else {
        String::new()
    }
}

/// Reads the lines of the list. A line with `=>` replaces the module of the line before it.
fn parse(version: &str, modules: &str) -> Materials {
    let mut packages = Vec::new();
    let mut path = None;
    let mut has_main = false;
    for line in modules.lines() {
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let name = fields.next().unwrap_or_default();
        let version = fields.next();
        match kind {
            "path" => path = Some(name),
            "mod" => {
                has_main = true;
                packages.insert(0, module(name, version));
            }
            "dep" => packages.push(module(name, version)),
            "=>" => {
                if let Some(replaced) = packages.last_mut() {
                    replace(replaced, name, version);
                }
            }
            _ => {}
        }
    }
    if !has_main && let Some(path) = path {
        packages.insert(0, module(path, None));
        has_main = true;
    }
    packages.push(standard_library(version));
    let last = packages.len();
    if has_main && let Some(main) = packages.first_mut() {
        main.dependencies = (1..last).collect();
    }
    Materials {
        packages,
        root: has_main.then_some(0),
    }
}

fn module(name: &str, version: Option<&str>) -> Package {
    Package {
        ecosystem: Ecosystem::Go,
        name: name.to_owned(),
        version: known(version),
        source: PackageSource::Public,
        build_only: false,
        dependencies: Vec::new(),
    }
}

/// Returns the version, unless Go did not know it. Go writes `(devel)` then.
fn known(version: Option<&str>) -> Option<String> {
    let version = version.filter(|version| !version.is_empty() && *version != "(devel)");
    version.map(str::to_owned)
}

/// Replaces a module by the one that was compiled in its place. When that is a local directory, it has no version, and
/// the module keeps its name.
fn replace(module: &mut Package, name: &str, version: Option<&str>) {
    module.version = known(version);
    if module.version.is_some() {
        name.clone_into(&mut module.name);
    } else {
        module.source = PackageSource::Other("local".to_owned());
    }
}

/// Returns the standard library of a version of Go: both `go1.22.2` and `go1.22.2 X:boringcrypto` have 1.22.2.
/// Databases of vulnerabilities name it `stdlib`.
fn standard_library(version: &str) -> Package {
    let number = version
        .strip_prefix("go")
        .and_then(|rest| rest.split(' ').next());
    module("stdlib", Some(number.unwrap_or(version)))
}
