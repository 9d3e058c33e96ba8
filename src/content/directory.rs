//! The directories that files are written to.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Returns the directory that a file of this name is in.
pub(crate) fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Flushes the directory of `file`, so that a rename survives a crash of the system. Some file systems cannot do this;
/// the file is complete either way.
pub(super) fn sync_directory_of(file: &Path) {
    let directory = directory_of(file);
    if let Err(error) = File::open(directory).and_then(|directory| directory.sync_all()) {
        tracing::debug!(directory = %directory.display(), %error, "the directory is not synced");
    }
}

/// Creates a directory, and its parents that are missing, each for its owner alone. Directories that exist
/// keep their permissions.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Locks a directory until the returned file is dropped. Unlike a lock file, this leaves nothing behind.
/// The error is [`io::ErrorKind::WouldBlock`] when it is locked already.
pub(crate) fn try_lock_directory(path: &Path) -> io::Result<File> {
    let directory = File::open(path)?;
    directory.try_lock()?;
    Ok(directory)
}

/// Whether an error says that a path does not exist. That includes a path below a file, such as one in a
/// home directory that is `/dev/null`.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns `None` in place of the error for a path at which nothing exists.
pub(crate) fn if_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Returns `None` in place of the error for a path at which nothing exists. A link to nothing, at `path` or above it,
/// stays an error: what it leads to may be on a volume that is not mounted.
pub(crate) fn if_there<T>(path: &Path, result: io::Result<T>) -> io::Result<Option<T>> {
    let found = if_found(result)?;
    if found.is_none()
        && let Some(link) = link_to_nothing(path)
    {
        let message = format!("{} is a link to nothing", link.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(found)
}

/// Returns the first of `path` and its parents that exists, if it is a link to nothing.
pub(crate) fn link_to_nothing(path: &Path) -> Option<&Path> {
    let first = path
        .ancestors()
        .find(|path| path.symlink_metadata().is_ok())?;
    let is_dangling = first
        .metadata()
        .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    is_dangling.then_some(first)
}

/// Returns the first of `path` and its parents that exists and is not a directory. Then no directory can be created at
/// `path`.
pub(crate) fn non_directory_at(path: &Path) -> Option<&Path> {
    let is_other = |path: &&Path| fs::metadata(path).is_ok_and(|found| !found.is_dir());
    path.ancestors().find(is_other)
}

/// Returns a function that makes an error name `directory`. The errors of `tempfile` name a random file in it.
pub(super) fn naming_directory(directory: &Path) -> impl Fn(io::Error) -> io::Error {
    let directory = directory.display().to_string();
    move |error| {
        let kind = error.kind();
        let message = match kind {
            io::ErrorKind::NotFound => format!("there is no directory {directory}"),
            io::ErrorKind::NotADirectory => format!("{directory} is not a directory"),
            io::ErrorKind::PermissionDenied => {
                format!("permission denied: the directory {directory} is not writable")
            }
            _ => return error,
        };
        io::Error::new(kind, message)
    }
}
