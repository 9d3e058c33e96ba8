//! Files with certificates and keys.

use std::fs::File;
use std::io;
use std::path::Path;

use rustls::pki_types::pem::Error;

use crate::content::read_bounded;

/// The largest file of certificates that is read, in bytes. The authorities of a system take 250 KB.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Reads a file of certificates or keys.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let content = read_bounded(File::open(path)?, LIMIT)?;
    // Editors on Windows put a byte order mark before the text.
    let text = content.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec);
    Ok(text.unwrap_or(content))
}

/// Returns whether a file begins like DER or PKCS #12. PEM never does.
pub(super) fn is_binary(content: &[u8]) -> bool {
    content.first() == Some(&0x30)
}

/// Describes an error of the parser for messages. `what` names the content of the blocks: "certificate". The text of the
/// library is replaced where it repeats a line of the file, because the line may be a private key.
pub(super) fn mistake(error: &Error, what: &str) -> String {
    match error {
        Error::MissingSectionEnd { .. } => format!("a {what} has no end line"),
        Error::Base64Decode(_) => format!("a {what} is not base64"),
        Error::IllegalSectionStart { .. } => "a first line is malformed".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "tests/pem.rs"]
mod tests;
