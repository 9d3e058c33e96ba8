//! The one place where files get their final names.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf, is_separator};

use tempfile::NamedTempFile;

use super::folder::{folder_of, in_folder, sync_folder};
use super::regular::require_regular;

/// What temporary names begin and end with.
pub(super) const PREFIX: &str = ".par-";
const SUFFIX: &str = ".partial";

/// Whether a file of this name is one that an [`AtomicFile`] is written under. Such a file stays behind
/// when its process is killed.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// How many links may follow one another, as on Linux.
pub(crate) const LINKS: usize = 40;

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
    /// stays, and what it points to is replaced, or made.
    ///
    /// # Errors
    ///
    /// When the folder does not exist or may not be written to, and when `destination` is something
    /// else than a regular file: a device or a pipe must not be replaced, `/dev/null` least of all.
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
        refuse_what_is_no_file(destination)?;
        let destination = followed(destination)?;
        let folder = folder_of(&destination);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = mode;
        let temporary = builder.tempfile_in(folder).map_err(in_folder(folder))?;
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

    /// Gives the file the permission bits of `other`, and its owner and group if the system allows that.
    ///
    /// # Errors
    ///
    /// When the system refuses the permission bits.
    pub fn resemble(&self, other: &File) -> io::Result<()> {
        let file = self.temporary.as_file();
        let metadata = other.metadata()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only root can, and then it is to stay somebody else's.
            if let Err(error) = fchown(file, Some(metadata.uid()), Some(metadata.gid())) {
                tracing::debug!(%error, "the owner is not the one that it was");
            }
        }
        file.set_permissions(metadata.permissions())
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

fn refuse_what_is_no_file(destination: &Path) -> io::Result<()> {
    match fs::metadata(destination) {
        Ok(metadata) => require_regular(&metadata),
        // Only a folder can have this name: it is missing, or a file is in its place.
        Err(error) if destination.to_string_lossy().ends_with(is_separator) => {
            Err(in_folder(destination)(error))
        }
        // It is not there, or will be found out when it is written.
        Err(_) => Ok(()),
    }
}

/// Where a file of this name is, or would be: symbolic links are followed, also to what is not there.
///
/// # Errors
///
/// When the links go round in circles.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&place) {
            Ok(target) => place = folder_of(&place).join(target),
            Err(_) => return Ok(place),
        }
    }
    let reason = "its links go round in circles";
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
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

        // Relative, through another one, to what is not there.
        for (name, target) in [("first", "second"), ("second", "made"), ("round", "round")] {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        let mut file = AtomicFile::create(&folder.path().join("first")).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert!(folder.path().join("first").is_symlink());
        assert_eq!(fs::read(folder.path().join("made")).unwrap(), b"new");
        assert!(AtomicFile::create(&folder.path().join("round")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        for path in [&socket, &link, Path::new("/dev/null")] {
            let error = AtomicFile::create(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
        assert!(AtomicFile::create(folder.path()).is_err());
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    }

    #[test]
    fn no_file_gets_the_name_of_a_folder_or_one_below_a_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "old").unwrap();
        for (name, kind) in [
            ("missing/", io::ErrorKind::NotFound),
            ("file/", io::ErrorKind::NotADirectory),
            ("file/x", io::ErrorKind::NotADirectory),
        ] {
            let error = AtomicFile::create(&folder.path().join(name)).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains("folder"), "{error}");
        }
        assert_eq!(names(folder.path()), ["file"]);
    }
}
