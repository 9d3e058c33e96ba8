//! WIT worlds: encoding a directory of WIT files, and printing an encoded world.

use std::fmt;
use std::path::Path;

use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{Resolve, TypeDefKind};

use super::entry_names::WORLD_ENTRY;
use super::error::Error;

/// The bytes before the version of the encoder, in the section `producers` of an encoded world.
const ENCODER: &[u8] = b"\x0dwit-component";

/// The first minor version of `wit-component` 0 with the present encoding. Until then, futures and error contexts had the
/// bytes 0x67 and 0x65, which now mean lists of a fixed size and futures. `wash` 0.43 encodes with 0.224.
const PRESENT_ENCODING: u64 = 226;

/// Encodes the WIT package in `directory` and its dependencies in `deps/`, as `wash` does.
///
/// # Errors
///
/// [`Error::Read`] when the directory cannot be read, and [`Error::Wit`] with the message of the parser when it
/// holds no valid package.
pub fn encode_world(directory: &Path) -> Result<Vec<u8>, Error> {
    let error = |reason: String| Error::Wit {
        place: directory.display().to_string(),
        reason,
    };
    // Checked here, because the parser would report another reason and another path.
    let found = std::fs::metadata(directory).map_err(|source| Error::read(directory, source))?;
    if !found.is_dir() {
        return Err(error("not a directory".to_owned()));
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(directory)
        .map_err(|source| error(format!("{source:#}")))?;
    wit_component::encode(&resolve, package).map_err(|source| error(format!("{source:#}")))
}

/// Returns the text form of an encoded world.
///
/// # Errors
///
/// [`Error::Wit`] when the bytes are not an encoded world, or have a future in the encoding of `wash` 0.43, which would be
/// taken for another type.
pub fn print_world(world: &[u8]) -> Result<String, Error> {
    let error = |reason: String| Error::Wit {
        place: WORLD_ENTRY.to_owned(),
        reason,
    };
    let old = encoder(world).filter(|encoder| encoder.is_old());
    let decoded = wit_component::decode(world).map_err(|source| {
        let by = old.map(|encoder| format!("; it was encoded by {encoder}"));
        error(format!("{source:#}{}", by.unwrap_or_default()))
    })?;
    if let DecodedWasm::Component(..) = decoded {
        return Err(error("it is a component, not a WIT package".to_owned()));
    }
    let resolve = decoded.resolve();
    if let Some(encoder) = old
        && has_future(resolve)
    {
        let reason = format!(
            "it has a future, and was encoded by {encoder}, whose encoding of futures now means another type"
        );
        return Err(error(reason));
    }
    let main = decoded.package();
    let mut nested: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
    nested.retain(|id| *id != main);
    let mut printer = WitPrinter::default();
    let printed = printer.print(resolve, main, &nested);
    printed.map_err(|source| error(format!("{source:#}")))?;
    Ok(printer.output.to_string())
}

/// Whether a world in the old encoding has a future or an error context, which are read as these types.
fn has_future(resolve: &Resolve) -> bool {
    let mut types = resolve.types.iter();
    types.any(|(_, found)| {
        let kind = &found.kind;
        matches!(
            kind,
            TypeDefKind::FixedSizeList(..) | TypeDefKind::Future(_)
        )
    })
}

/// A version of `wit-component`.
#[derive(Clone, Copy)]
struct Encoder<'a>(&'a str);

impl Encoder<'_> {
    /// Whether its encoding differs from the present one.
    fn is_old(&self) -> bool {
        let minor = self
            .0
            .strip_prefix("0.")
            .and_then(|rest| rest.split('.').next());
        minor.is_some_and(|minor| {
            minor
                .parse()
                .is_ok_and(|minor: u64| minor < PRESENT_ENCODING)
        })
    }
}

impl fmt::Display for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wit-component {}", self.0)
    }
}

/// Returns the encoder of a world, if the world names it.
fn encoder(world: &[u8]) -> Option<Encoder<'_>> {
    let mut windows = world.windows(ENCODER.len());
    let start = windows.rposition(|found| found == ENCODER)? + ENCODER.len();
    let (length, rest) = world.get(start..)?.split_first()?;
    let version = rest.get(..usize::from(*length))?;
    std::str::from_utf8(version).ok().map(Encoder)
}
