//! The regular files in a tar.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::content::{Digest, read_bounded};

use super::super::layout::BLOBS;

/// The place of a file in a tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The offset of the file's content in the tar, in bytes.
    pub(super) offset: u64,
    /// The size of the file, in bytes.
    pub(super) size: u64,
}

impl Span {
    /// Returns a reader of the bytes in `tar`.
    pub(super) fn reader(self, mut tar: File) -> io::Result<io::Take<File>> {
        tar.seek(SeekFrom::Start(self.offset))?;
        Ok(tar.take(self.size))
    }

    /// Reads the bytes in `tar`, which must be at most `limit`.
    pub(super) fn read(self, tar: File, limit: u64) -> io::Result<Vec<u8>> {
        read_bounded(self.reader(tar)?, limit)
    }
}

/// The places of the regular files in a tar, by their names.
pub(super) type Entries = BTreeMap<String, Span>;

/// Returns the name of a blob in a layout.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}/{}/{}", digest.algorithm().name(), digest.hex())
}
