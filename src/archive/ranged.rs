//! Taking one executable out of an archive by its index, without reading the others.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::content::{AtomicFile, Digest, MeteredReader, Progress, Step, Stopped, open_regular};

use super::claims::VerifiedClaims;
use super::error::Error;
use super::extract::{extract, write_error};
use super::hashing::digest_of;
use super::index::Index;
use super::limits::Limits;
use super::reader::read_claims;
use super::target::Target;

/// Writes the executable for `target` of the archive at `path` to `destination`, with the permission
/// bits `mode`, once it has the hash that the signed claims name.
///
/// When the archive carries an index, nothing else of it is read, and so nothing is known of its other
/// executables. Where there is none, or it does not lead to the right bytes, the whole archive is read
/// and verified, as [`extract`] does.
///
/// # Errors
///
/// As [`extract`].
pub fn extract_file(
    path: &Path,
    target: &Target,
    destination: &Path,
    mode: u32,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    let read_error = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let (mut file, size) = open_regular(path).map_err(read_error)?;
    if let Some(claims) = by_index(&mut file, target, destination, mode, limits, progress)? {
        return Ok(claims);
    }
    let (file, _) = open_regular(path).map_err(read_error)?;
    let input = MeteredReader::new(file, progress.begin(Step::Verifying, size));
    let contents = extract(input, target, destination, mode, limits)
        .map_err(|error| error.in_archive(path))?;
    Ok(contents.claims)
}

/// The claims, when the index led to them and to the executable that they name, which is at
/// `destination` then. `None` when anything was in the way: reading the whole archive finds out what.
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
    // No file is as long as an offset can say: that is a lie, too, and not a failure of this one.
    let Ok(content) = index.open(entry, file) else {
        return Ok(None);
    };
    let content = MeteredReader::new(content, progress.begin(Step::Extracting, entry.size));
    let right = write_executable(content, expected, destination, mode)?;
    Ok(right.then_some(claims))
}

/// Writes `content`, inflated already, to `destination` with the permission bits `mode`, if it has the
/// digest `expected`. Gives whether it has; there is no file if it has not, or cannot be read.
///
/// # Errors
///
/// [`Error::Write`].
pub(crate) fn write_executable(
    mut content: impl Read,
    expected: &Digest,
    destination: &Path,
    mode: u32,
) -> Result<bool, Error> {
    let failed = |source| write_error(destination, source);
    let mut output = AtomicFile::create(destination).map_err(failed)?;
    let digest = digest_of(|buffer| {
        let count = content.read(buffer).map_err(Error::Stream)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        output.write_all(bytes).map_err(failed)?;
        Ok(count)
    });
    match digest {
        Ok(digest) if digest == *expected => {}
        Err(Error::Stream(source)) if is_stopped(&source) => return Err(failed(source)),
        // What cannot be inflated is not what was signed either.
        Ok(_) | Err(Error::Stream(_)) => return Ok(false),
        Err(error) => return Err(error),
    }
    output
        .set_mode(mode)
        .and_then(|()| output.commit())
        .map_err(failed)?;
    Ok(true)
}

/// Whether somebody wants no more of it, and not the content ended reading.
fn is_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
}

/// The index in `head`, the first bytes of an archive, and the verified claims there. `None` when either is
/// missing or cannot be used.
///
/// The claims are those that everybody finds who reads the archive from its start, and never others to
/// which an index leads: an archive has one publisher.
pub(crate) fn read_head(head: &[u8], limits: &Limits) -> Option<(Index, VerifiedClaims)> {
    let index = Index::from_head(head)?;
    let claims = read_claims(head, limits).ok()?;
    Some((index, claims))
}
