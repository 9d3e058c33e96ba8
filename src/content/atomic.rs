//! The one place where files get their final names.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What temporary names begin and end with.
const PREFIX: &str = ".par-";
const SUFFIX: &str = ".partial";

/// Whether a file of this name is one that an [`AtomicFile`] is written under. Such a file stays behind
/// when its process is killed.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// A file that appears under its name complete or not at all.
///
/// It is written under a temporary name in the same folder, and [`commit`](Self::commit) flushes it
/// to disk and renames it. Dropped without a commit, it leaves nothing behind, and what stood under
/// the name before is untouched.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: NamedTempFile,
    destination: PathBuf,
}

impl AtomicFile {
    /// Opens a temporary file beside `destination`. A symbolic link is followed, so that the link
    /// stays and what it points to is replaced.
    ///
    /// # Errors
    ///
    /// When the folder does not exist or may not be written to, and when `destination` is a folder.
    pub fn create(destination: &Path) -> io::Result<Self> {
        // As any new file: what the process's umask leaves of it.
        Self::with_mode(destination, 0o666)
    }

    /// The same for a file that holds a secret: nobody but its owner can ever open it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_private(destination: &Path) -> io::Result<Self> {
        Self::with_mode(destination, 0o600)
    }

    fn with_mode(destination: &Path, mode: u32) -> io::Result<Self> {
        let destination = match destination.canonicalize() {
            Ok(existing) => existing,
            Err(_) => destination.to_owned(),
        };
        if destination.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = match destination.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = mode;
        let temporary = builder
            .tempfile_in(folder)
            .map_err(|error| in_folder(error, folder))?;
        Ok(Self {
            temporary,
            destination,
        })
    }

    /// Sets the permission bits the file will have; without effect on Windows.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        set_mode(self.temporary.as_file(), mode)
    }

    /// The file being written.
    #[must_use]
    pub fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Flushes the file to disk and gives it its name, replacing what stood there. Returns the path.
    ///
    /// # Errors
    ///
    /// When the disk or the folder refuses; the temporary file is removed then.
    pub fn commit(self) -> io::Result<PathBuf> {
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist(&self.destination)
            .map_err(|error| error.error)?;
        sync_folder(&self.destination);
        Ok(self.destination)
    }

    /// As [`commit`](Self::commit), but never replaces anything.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when the name is taken, or as [`commit`](Self::commit).
    pub fn commit_new(self) -> io::Result<PathBuf> {
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist_noclobber(&self.destination)
            .map_err(|error| error.error)?;
        sync_folder(&self.destination);
        Ok(self.destination)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.temporary.as_file_mut().seek(position)
    }
}

/// The name of the temporary file, which `tempfile` reports, says nothing to anybody: the folder does.
fn in_folder(error: io::Error, folder: &Path) -> io::Error {
    let folder = folder.display();
    match error.kind() {
        kind @ io::ErrorKind::NotFound => {
            io::Error::new(kind, format!("there is no folder {folder}"))
        }
        kind @ io::ErrorKind::PermissionDenied => io::Error::new(
            kind,
            format!("permission denied: the folder {folder} may not be written to"),
        ),
        _ => error,
    }
}

/// Gives a file that was written under another name, in a folder of the same file system, its final
/// one: flushed to disk, with the permission bits `mode`.
///
/// # Errors
///
/// When the disk or a folder refuses; the file keeps its old name then.
pub fn publish(file: &File, from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(from, to)?;
    // Last: under its old name it has to stay writable, in case the rename does not happen.
    set_mode(file, mode)?;
    sync_folder(to);
    Ok(())
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

/// Makes the rename itself durable. Not every file system can; the file is complete either way.
fn sync_folder(file: &Path) {
    if let Some(parent) = file.parent()
        && let Ok(folder) = File::open(parent)
        && let Err(error) = folder.sync_all()
    {
        tracing::debug!(folder = %parent.display(), %error, "folder not synced");
    }
}

/// Creates a folder, and those above it that are missing, for its owner alone. One that exists stays as
/// it is.
///
/// # Errors
///
/// When the system refuses.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Opens a regular file for reading, and gives its length in bytes.
///
/// # Errors
///
/// When there is no such file, or it is a folder or a device.
pub fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    let require_regular = |metadata: &fs::Metadata| match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => {
            let reason = "not a regular file";
            Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
        }
    };
    // Before it is opened too: opening a pipe waits for somebody to write to it.
    require_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    require_regular(&metadata)?;
    Ok((file, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_complete_on_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn without_a_commit_nothing_changes_and_nothing_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let link = folder.path().join("link");
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
