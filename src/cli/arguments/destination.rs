//! `--destination`: the file or directory that a command writes.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Returns a parser for the path of what a command writes. It refuses `-`: users of other programs expect
/// standard output there, and would get a file of that name.
pub(crate) fn destination() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("cannot write to standard output; write `./-` for a file of that name")
        } else {
            Ok(path)
        }
    })
}
