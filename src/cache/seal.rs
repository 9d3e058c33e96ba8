//! How a file of the cache is known to be untouched, without reading it.
//!
//! Once its content is verified, a file is sealed: it gets the permission bits of its kind, and a
//! modification time that follows from its size. Whoever writes to it, cuts it off or puts another file
//! in its place breaks the seal, and one look at its metadata tells. A broken seal proves nothing yet:
//! the file is read again, and sealed again when its content is right. What changes content without
//! touching the file, such as a failing disk, only `par cache verify` finds.

use std::fs::{File, FileTimes, Metadata, Permissions, symlink_metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a look at a file tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// There is nothing.
    Absent,
    /// Nobody has touched it since it was verified.
    Sealed,
    /// Somebody has, or it was never sealed: its content may be right.
    Broken,
    /// It is no regular file, or it belongs to somebody else, who could change it at any time.
    Foreign,
}

/// Looks at the file at `path`, which is to have the permission bits `mode`.
pub(super) fn look(path: &Path, mode: u32) -> io::Result<Look> {
    let metadata = match symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Absent),
        Err(error) => return Err(error),
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

/// The modification time of a sealed file of so many bytes: in whole seconds, which every file system
/// keeps, between 2001 and 2033, which every file system can write down.
fn time(size: u64) -> SystemTime {
    const RANGE: u64 = 1_000_000_000;
    SystemTime::UNIX_EPOCH + Duration::from_secs(RANGE + size % RANGE)
}

/// Whether the file or folder belongs to the user who runs this.
pub(super) fn is_ours(metadata: &Metadata) -> bool {
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

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn whoever_touches_a_file_breaks_its_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(look(&path, 0o444).unwrap(), Look::Absent);
        let sealed = || {
            fs::write(&path, "content").unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Broken);
            seal(&File::open(&path).unwrap(), 0o444).unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Sealed);
            set_mode(&File::open(&path).unwrap(), 0o644).unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Broken);
            set_mode(&File::open(&path).unwrap(), 0o444).unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Sealed);
            fs::OpenOptions::new().write(true).open(&path)
        };
        // Tests that run as root may write to what nobody may write to.
        if let Ok(file) = sealed() {
            file.set_len(3).unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Broken);
            // Not even who keeps the time goes unnoticed, when the size has changed.
            file.set_modified(time(7)).unwrap();
            assert_eq!(look(&path, 0o444).unwrap(), Look::Broken);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(look(&path, 0o444).unwrap(), Look::Foreign);
    }
}
