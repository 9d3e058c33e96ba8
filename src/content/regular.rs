//! Regular files: no directories, devices or pipes.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use same_file::Handle;

use super::directory::if_found;
use super::locks::Locking;
use super::progress::Meter;

/// How long to wait before trying a lock again.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// Opens a regular file for reading: no directory, device or pipe. Returns it with its length in bytes.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    // Checked before opening too: opening a pipe blocks until another process opens its other end.
    require_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    require_regular(&metadata)?;
    Ok((file, metadata.len()))
}

/// Opens the regular file at `path` with `options`. Unlike [`open_regular`], it refuses a symbolic link: writing through it
/// would change a file in another place.
pub(crate) fn open_itself(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // With `NONBLOCK`, opening a pipe does not wait for another process.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    if let Some(found) = if_found(fs::symlink_metadata(path))? {
        require_regular(&found)?;
    }
    let file = options.open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file of settings for reading. It may be a device, such as `/dev/null`, but no pipe: opening one waits until
/// another process opens its other end.
pub(crate) fn open_unless_pipe(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if fs::metadata(path)?.file_type().is_fifo() {
            let reason = "a pipe, not a file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
    }
    File::open(path)
}

/// Opens a regular file for reading, and locks it, once no other caller of this function has it locked.
/// Returns it with its length in bytes. It is the file that is at `path` at that moment.
///
/// `meter` may stop the waiting. On a file system without locks, the file is opened without one.
pub(crate) fn open_exclusive(path: &Path, meter: &dyn Meter) -> io::Result<(File, u64)> {
    loop {
        let (file, size) = open_regular(path)?;
        match Locking::exclusive(&file, path) {
            Ok(Locking::Locked) if is_at(&file, path)? => return Ok((file, size)),
            // The previous holder of the lock has replaced the file.
            Ok(Locking::Locked) => {}
            Ok(Locking::Busy) => {
                meter.advance(0)?;
                thread::sleep(LOCK_INTERVAL);
            }
            Ok(Locking::Unsupported) => return Ok((file, size)),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "the file is not locked");
                return Ok((file, size));
            }
        }
    }
}

/// Whether `file` is the one that is at `path` now. A symbolic link at `path` is followed.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let is_like_file = |found: Metadata| found.is_file() || found.is_dir();
    // The comparison opens what is at the path. Opening a pipe would wait for another process.
    if !if_found(fs::metadata(path))?.is_some_and(is_like_file) {
        return Ok(false);
    }
    match if_found(Handle::from_path(path))? {
        Some(there) => Ok(Handle::from_file(file.try_clone()?)? == there),
        None => Ok(false),
    }
}

/// Whether a file or directory belongs to the user of this process.
pub(crate) fn is_ours(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.uid() == rustix::process::geteuid().as_raw()
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
}

/// Refuses directories, devices and pipes.
pub(super) fn require_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let reason = "not a regular file";
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

#[cfg(test)]
#[path = "tests/regular.rs"]
mod tests;
