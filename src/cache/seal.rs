//! Seals: they show that a file of the cache is unchanged, without reading it.
//!
//! After its content is verified, a file is sealed: it gets the permission bits of its kind, and a modification time
//! that follows from its size. Writing to the file, truncating it or replacing it breaks the seal, which is visible in
//! its metadata. A broken seal does not prove damage: the file is read, and sealed again if its content is right. A
//! change that leaves the metadata alone, such as by a failing disk, is found only by
//! [`Cache::verify`](super::Cache::verify).

use std::fs::{File, FileTimes, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::content::{is_ours, set_mode};

use super::files::found;

/// The state of a file by its metadata.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// There is no file.
    Absent,
    /// The file has not been changed since it was verified.
    Sealed,
    /// The file was changed, or was never sealed. Its content may be right.
    Broken,
    /// The path does not lead to a regular file, or the file belongs to another user, who could change it at any time.
    Foreign,
}

/// Reads the metadata of the file at `path`, which should have the permission bits `mode`.
pub(super) fn look(path: &Path, mode: u32) -> io::Result<Look> {
    let Some(metadata) = found(path)? else {
        return Ok(Look::Absent);
    };
    if !metadata.is_file() || !is_ours(&metadata) {
        return Ok(Look::Foreign);
    }
    let sealed = has_mode(&metadata, mode) && metadata.modified()? == time(metadata.len());
    Ok(if sealed { Look::Sealed } else { Look::Broken })
}

/// Seals a file whose content is verified.
pub(super) fn seal(file: &File, mode: u32) -> io::Result<()> {
    set_mode(file, mode)?;
    let now = SystemTime::now();
    let times = FileTimes::new().set_accessed(now);
    file.set_times(times.set_modified(time(file.metadata()?.len())))
}

/// Returns the modification time of a sealed file of `size` bytes, in whole seconds between 2001 and 2033. Every file
/// system can store it.
fn time(size: u64) -> SystemTime {
    const RANGE: u64 = 1_000_000_000;
    SystemTime::UNIX_EPOCH + Duration::from_secs(RANGE + size % RANGE)
}

fn has_mode(metadata: &Metadata, mode: u32) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.permissions().mode() & 0o7777 == mode
    }
    #[cfg(not(unix))]
    {
        let _ = (metadata, mode);
        true
    }
}

#[cfg(test)]
#[path = "tests/seal.rs"]
mod tests;
