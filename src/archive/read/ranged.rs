//! Extracting one executable by the index of an archive, without reading the others.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::archive::claims::VerifiedClaims;
use crate::archive::error::Error;
use crate::archive::format::Index;
use crate::archive::hashing::digest_of;
use crate::archive::limits::Limits;
use crate::archive::target::Target;
use crate::content::{AtomicFile, Digest, Meter, MeteredReader, Progress, Step, open_regular};

use super::extract::extract;
use super::scan::read_claims;

/// Extracts the executable for `target` from the archive at `path` to `destination`, with the permission bits `mode`.
/// The file appears only after its hash has been compared with the signed claims.
///
/// When the archive has an index, the other executables are neither read nor verified. Without an index, or when the
/// index leads to the wrong bytes, the whole archive is read and verified, as in [`extract`].
///
/// # Errors
///
/// The errors of [`extract`].
pub fn extract_file(
    path: &Path,
    target: &Target,
    destination: &Path,
    mode: u32,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    let read_error = |source| Error::read(path, source);
    let (mut file, size) = open_regular(path).map_err(read_error)?;
    let by_index = by_index(&mut file, target, destination, mode, limits, progress);
    if let Some(claims) = by_index.map_err(|error| error.in_archive(path))? {
        return Ok(claims);
    }
    let (file, _) = open_regular(path).map_err(read_error)?;
    let input = MeteredReader::new(file, progress.begin(Step::Verifying, size));
    let contents = extract(input, target, destination, mode, limits)
        .map_err(|error| error.in_archive(path))?;
    Ok(contents.claims)
}

/// Writes the executable to which the index leads, and returns the claims. `None` when this is not possible, and the
/// whole archive has to be read to find out what is wrong.
fn by_index(
    file: &mut File,
    target: &Target,
    destination: &Path,
    mode: u32,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Option<VerifiedClaims>, Error> {
    let mut head = Vec::new();
    let read = file.take(Index::HEAD as u64).read_to_end(&mut head);
    let Some((index, claims)) = read.ok().and_then(|_| read_head(&head, limits)) else {
        return Ok(None);
    };
    let (Ok(expected), Some(entry)) = (claims.executable(target), index.executable(target)) else {
        return Ok(None);
    };
    if !entry.is_within(limits.executable, limits) {
        return Ok(None);
    }
    // Seeking fails when the index names an offset that no file can have.
    let Ok(content) = index.open(entry, file) else {
        return Ok(None);
    };
    let meter = progress.begin(Step::Extracting, entry.size);
    let right = write_executable(content, &*meter, expected, destination, mode)?;
    Ok(right.then_some(claims))
}

/// Writes the inflated `content` to `destination` with the permission bits `mode`, if it has the digest `expected`.
/// Otherwise, or when the content cannot be inflated, writes no file and returns `false`.
///
/// # Errors
///
/// [`Error::Write`], also when `meter` stops the work; [`Error::Stream`] when reading `content` fails for another
/// reason than damaged bytes; [`Error::Thread`].
pub(crate) fn write_executable(
    mut content: impl Read,
    meter: &dyn Meter,
    expected: &Digest,
    destination: &Path,
    mode: u32,
) -> Result<bool, Error> {
    let failed = |source| Error::write(destination, source);
    let mut output = AtomicFile::create(destination).map_err(failed)?;
    let digest = digest_of(&mut |buffer| {
        let count = content.read(buffer).map_err(Error::Stream)?;
        meter.advance(count as u64).map_err(failed)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        output.write_all(bytes).map_err(failed)?;
        Ok(count)
    });
    match digest {
        Ok(digest) if digest == *expected => {}
        Ok(_) => return Ok(false),
        Err(Error::Stream(source)) if is_damage(&source) => return Ok(false),
        Err(error) => return Err(error),
    }
    let committed = output.set_mode(mode).and_then(|()| output.commit());
    committed.map(|_| true).map_err(failed)
}

/// Returns whether reading failed because of bytes that cannot be inflated, and not because of a device or a network.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Returns the index in `head`, the first bytes of an archive, and the verified claims there. `None` when either is
/// missing or cannot be used.
///
/// The claims are read at the start of the archive, and not at the place in the index. So every reader finds the same
/// publisher.
pub(crate) fn read_head(head: &[u8], limits: &Limits) -> Option<(Index, VerifiedClaims)> {
    Some((Index::from_head(head)?, read_claims(head, limits).ok()?))
}

#[cfg(test)]
#[path = "tests/ranged.rs"]
mod tests;
