//! The folders that files are written to.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The folder that a file of this name is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A folder for the user alone, in that of `file`. It goes with what is in it when it is dropped.
///
/// # Errors
///
/// When the folder of `file` is missing, or may not be written to.
pub(crate) fn temporary_folder_beside(file: &Path) -> io::Result<TempDir> {
    let folder = folder_of(file);
    let mut builder = tempfile::Builder::new();
    builder.prefix(super::atomic::PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(folder).map_err(in_folder(folder))
}

/// Makes the rename itself durable. Not every file system can; the file is complete either way.
pub(super) fn sync_folder(file: &Path) {
    let folder = folder_of(file);
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(folder = %folder.display(), %error, "folder not synced");
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

/// Locks a folder for as long as the file that is returned is kept. Nothing is left in it, as a lock file
/// would be.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] when somebody else has locked it; others when there is no such folder, or
/// when folders cannot be locked.
pub(crate) fn try_lock_folder(path: &Path) -> io::Result<File> {
    let folder = File::open(path)?;
    folder.try_lock()?;
    Ok(folder)
}

/// Whether there is nothing at a path, because there is nothing on the way either, or a file where a folder
/// should be, as below a home at `/dev/null`.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What is no folder, and in the way of a folder at `path`: there, or above it.
pub(crate) fn in_place_of_a_folder(path: &Path) -> Option<&Path> {
    let is_other = |path: &&Path| fs::metadata(path).is_ok_and(|found| !found.is_dir());
    path.ancestors().find(is_other)
}

/// The name of the temporary file, which `tempfile` reports, says nothing to anybody: the folder does.
pub(super) fn in_folder(folder: &Path) -> impl Fn(io::Error) -> io::Error {
    let folder = folder.display().to_string();
    move |error| match error.kind() {
        kind @ io::ErrorKind::NotFound => {
            io::Error::new(kind, format!("there is no folder {folder}"))
        }
        kind @ io::ErrorKind::NotADirectory => {
            io::Error::new(kind, format!("{folder} is not a folder"))
        }
        kind @ io::ErrorKind::PermissionDenied => io::Error::new(
            kind,
            format!("permission denied: the folder {folder} may not be written to"),
        ),
        _ => error,
    }
}
