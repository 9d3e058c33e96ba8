//! Reading small files, such as schemas and statements.

use std::fs::File;
use std::io::{Read, Stdin};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Result, bail};

use crate::archive;
use crate::content::open_regular;

use super::output::Failure;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// What standard input was read as, such as "the configuration". Not set before standard input is read.
static STANDARD_INPUT: OnceLock<String> = OnceLock::new();

/// Opens a regular file for reading. The error names the path.
pub(crate) fn open(path: &Path) -> Result<File, archive::Error> {
    match open_regular(path) {
        Ok((file, _)) => Ok(file),
        Err(source) => Err(archive::Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads all of a small file, or of standard input if `path` is `-`. `name` is what an error calls it.
pub(crate) fn read_small(path: &Path, name: &str) -> Result<Vec<u8>> {
    let bytes = read_beyond(path, name, LIMIT)?;
    if bytes.len() as u64 > LIMIT {
        bail!(Failure::usage(format!(
            "{name} is larger than {LIMIT} bytes"
        )));
    }
    Ok(bytes)
}

/// Reads a file, or standard input if `path` is `-`, and stops one byte after `limit`, so that the caller notices content that
/// is too large. `name` is what an error calls it.
pub(crate) fn read_beyond(path: &Path, name: &str, limit: u64) -> Result<Vec<u8>> {
    let input: Box<dyn Read> = if is_standard_input(path) {
        Box::new(standard_input(name)?.lock())
    } else {
        Box::new(open(path)?)
    };
    let mut bytes = Vec::new();
    let read = input.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| archive::Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(bytes)
}

/// Returns standard input, to be read as `what`. Returns an error if it was already read as something else: it has only
/// one content.
pub(crate) fn standard_input(what: &str) -> Result<Stdin> {
    let first = STANDARD_INPUT.get_or_init(|| what.to_owned());
    if first != what {
        bail!(
            Failure::usage(format!("standard input cannot be both {first} and {what}"))
                .hint("give one of them in another way")
        );
    }
    Ok(std::io::stdin())
}

/// Whether an argument for a file stands for standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}
