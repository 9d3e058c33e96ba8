//! Files with certificates and keys.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::content::read_bounded;

/// The largest file of certificates that is read, in bytes; the system's authorities take 250 KB.
const LIMIT: u64 = 16 * 1024 * 1024;

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(File::open(path)?, LIMIT)
}

/// Returns whether a file begins as DER and PKCS #12 do, which PEM is not.
pub(super) fn is_binary(content: &[u8]) -> bool {
    content.first() == Some(&0x30)
}
