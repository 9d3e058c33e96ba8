//! WIT worlds: encoding a directory of WIT files, and printing an encoded world.

use std::path::Path;

use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::Resolve;

use super::entry_names::WORLD_ENTRY;
use super::error::Error;

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
/// [`Error::Wit`] when the bytes are not an encoded world.
pub fn print_world(world: &[u8]) -> Result<String, Error> {
    let error = |reason: String| Error::Wit {
        place: WORLD_ENTRY.to_owned(),
        reason,
    };
    let decoded = wit_component::decode(world).map_err(|source| error(format!("{source:#}")))?;
    if let DecodedWasm::Component(..) = decoded {
        return Err(error("it is a component, not a WIT package".to_owned()));
    }
    let resolve = decoded.resolve();
    let main = decoded.package();
    let mut nested: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
    nested.retain(|id| *id != main);
    let mut printer = WitPrinter::default();
    let printed = printer.print(resolve, main, &nested);
    printed.map_err(|source| error(format!("{source:#}")))?;
    Ok(printer.output.to_string())
}
