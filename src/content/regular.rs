//! Files that are nothing but files.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::progress::Meter;

/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Opens a regular file for reading, and gives its length in bytes.
///
/// # Errors
///
/// When there is no such file, or it is a folder or a device.
pub fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    // Before it is opened too: opening a pipe waits for somebody to write to it.
    require_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    require_regular(&metadata)?;
    Ok((file, metadata.len()))
}

/// The same, once nobody else has it who asks for it like this. It is the file that is at `path` then.
/// `meter` may stop the waiting.
///
/// On a file system without locks, nobody is waited for.
///
/// # Errors
///
/// As [`open_regular`].
pub(crate) fn open_exclusive(path: &Path, meter: &dyn Meter) -> io::Result<(File, u64)> {
    loop {
        let (file, size) = open_regular(path)?;
        match file.try_lock() {
            Ok(()) if is_same(&file.metadata()?, &fs::metadata(path)?) => return Ok((file, size)),
            // It was replaced by who had it before.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                meter.advance(0)?;
                thread::sleep(LOOK);
            }
            Err(TryLockError::Error(error)) => {
                tracing::debug!(path = %path.display(), %error, "not locked");
                return Ok((file, size));
            }
        }
    }
}

/// Whether both are of one file.
pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        true
    }
}

/// Refuses folders, devices and pipes.
pub(super) fn require_regular(metadata: &Metadata) -> io::Result<()> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => {
            let reason = "not a regular file";
            Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
        }
    }
}
