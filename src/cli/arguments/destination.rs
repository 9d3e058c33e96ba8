//! `--destination`: where a command writes to.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// The path of what is written. For other programs `-` is standard output, which would get a path here, and no
/// archive: so a file of that name is hardly meant.
pub(crate) fn destination() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("it is not written to standard output; `./-` is a file of that name"),
        false => Ok(path),
    })
}
