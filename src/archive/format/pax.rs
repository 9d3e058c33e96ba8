//! The records of an extended header (POSIX `pax`, "pax Extended Header").

use std::io;

use crate::archive::error::Error;

/// A key and its value.
type Record<'b> = (&'b [u8], &'b [u8]);

/// Returns the keys and values of `LENGTH KEY=VALUE\n` records.
///
/// The length counts the whole record, so that a value may contain line ends. The values of extended attributes do. The
/// `tar` crate splits at line ends instead and refuses such values.
pub(super) fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, Error> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = first(bytes).ok_or_else(|| {
            let reason = "a record of an extended header is malformed";
            Error::DamagedTar(io::Error::new(io::ErrorKind::InvalidData, reason))
        })?;
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}

fn first(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = std::str::from_utf8(bytes.get(..space)?).ok()?;
    let length: usize = length.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let (key, value) = record.split_at_checked(record.iter().position(|byte| *byte == b'=')?)?;
    Some(((key, value.strip_prefix(b"=")?), rest))
}

#[cfg(test)]
#[path = "tests/pax.rs"]
mod tests;
