//! A layer of a container image with one executable.

use std::io::{self, Read, Seek, Write};

use tar::{Builder, EntryType, Header};

use crate::archive::format::gzip::Encoder;
use crate::content::{Algorithm, Digest, Hasher};

/// The permission bits of the executable: all users may run it, and none may change it.
const EXECUTABLE: u32 = 0o555;
/// The permission bits of the directories that lead to the executable.
const DIRECTORY: u32 = 0o755;
/// The latest time that the header of a tar can hold, in seconds since 1970: 11 octal digits.
const LATEST: u64 = 0o777_7777_7777;

/// The place of an executable in a layer.
pub(crate) struct LayerEntry<'a> {
    /// The path without the first slash, of at most 100 bytes.
    pub(crate) path: &'a str,
    /// The size of the executable in bytes.
    pub(crate) size: u64,
    /// The time of modification, in seconds since 1970.
    pub(crate) modified: u64,
}

/// Writes a gzip-compressed tar with one executable and the directories that lead to it. Everything belongs to root.
/// Returns the digest of the tar, which an image's config lists. Equal arguments give equal bytes.
pub(crate) fn write_image_layer(
    executable: impl Read,
    entry: &LayerEntry<'_>,
    output: impl Write + Seek,
) -> io::Result<Digest> {
    let layer = Hashed {
        encoder: Encoder::gzip(output, 0)?,
        hasher: Hasher::new(Algorithm::Sha256),
    };
    let mut tar = Builder::new(layer);
    for (position, _) in entry.path.match_indices('/') {
        let directory = entry.path.get(..=position).unwrap_or_default();
        let header = header(directory, EntryType::Directory, 0, DIRECTORY, entry)?;
        tar.append(&header, io::empty())?;
    }
    let header = header(
        entry.path,
        EntryType::Regular,
        entry.size,
        EXECUTABLE,
        entry,
    )?;
    tar.append(&header, executable.take(entry.size))?;
    let Hashed { encoder, hasher } = tar.into_inner()?;
    encoder.finish(&[], |_| None)?.flush()?;
    Ok(hasher.finish())
}

fn header(
    path: &str,
    kind: EntryType,
    size: u64,
    mode: u32,
    entry: &LayerEntry<'_>,
) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(entry.modified.min(LATEST));
    header.set_cksum();
    Ok(header)
}

/// Hashes the bytes that are written, and compresses them.
struct Hashed<W> {
    encoder: Encoder<W>,
    hasher: Hasher,
}

impl<W: Write + Seek> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.encoder.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

#[cfg(test)]
#[path = "tests/image_layer.rs"]
mod tests;
