//! The directory beside the file of a layout, in which a session collects new content.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::content::{Locking, blocking, directory_of, followed, is_absent, is_at, is_temporary};

use super::super::error::Error;
use super::super::layout::{BLOBS, Layout};

/// The suffix of the directory beside the file.
const PARTIAL: &str = ".partial";
/// The name of the locked file in the directory.
const LOCK: &str = "lock";
/// The name of the layout in the directory.
const LAYOUT: &str = "layout";
/// How long to wait before trying a lock again.
const LOCK_INTERVAL: Duration = Duration::from_millis(100);

/// The directory beside the file. It is locked as long as this value exists.
///
/// Dropping this value removes the directory if the session is complete, or if the directory has no blobs that another
/// session could use.
pub(super) struct StagingDirectory {
    path: PathBuf,
    /// The path of the file, for messages.
    file: PathBuf,
    _lock: File,
    /// How the session has ended. Not set if it has failed or was interrupted.
    end: OnceLock<End>,
}

/// How a session has ended.
pub(super) enum End {
    /// The file has everything that was stored.
    Complete,
    /// The file has everything except parts that were not added.
    WithoutParts,
}

impl StagingDirectory {
    /// Creates the directory beside `file`, or takes over one that an interrupted session has left. Waits while another
    /// session has the lock.
    pub(super) async fn lock(file: &Path) -> Result<Self, Error> {
        let target = followed(file).map_err(Error::file(file))?;
        let mut name = OsString::from(target);
        name.push(PARTIAL);
        let path = PathBuf::from(name);
        let mut is_told = false;
        loop {
            let (at, target) = (path.clone(), file.to_owned());
            let tried = blocking(move || match try_lock(&at) {
                // The error is about the directory that both are in, and the caller knows only the file.
                Err(error) if is_absent(&error) => Err(Error::file(&target)(error)),
                tried => tried.map_err(Error::file(&at)),
            });
            match tried.await? {
                Some(lock) => {
                    return Ok(Self {
                        path,
                        file: file.to_owned(),
                        _lock: lock,
                        end: OnceLock::new(),
                    });
                }
                None if is_told => {}
                None => {
                    is_told = true;
                    let file = file.display();
                    tracing::warn!("waiting for another process, which is writing {file}");
                }
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }

    /// Opens or creates the layout with the new content. What an interrupted session has left there is removed if it
    /// cannot be read as a layout. Blocks.
    pub(super) fn open_layout(&self) -> Result<Layout, Error> {
        let directory = self.layout();
        match Layout::open_or_create(&directory) {
            Err(error) if !matches!(error, Error::File { .. }) => {
                tracing::warn!("beginning again without the content that is left: {error}");
                let removed = fs::remove_dir_all(&directory);
                removed
                    .or_else(|_| fs::remove_file(&directory))
                    .map_err(Error::file(&directory))?;
                Layout::open_or_create(directory)
            }
            opened => opened,
        }
    }

    /// Returns the directory of the layout with the new content.
    pub(super) fn layout(&self) -> PathBuf {
        self.path.join(LAYOUT)
    }

    /// Records how the session has ended.
    pub(super) fn end(&self, end: End) {
        // A session ends only once.
        let _ = self.end.set(end);
    }
}

impl Drop for StagingDirectory {
    fn drop(&mut self) {
        let layout = self.layout();
        let (file, partial) = (self.file.display(), self.path.display());
        let left = match self.end.get() {
            Some(End::Complete) => None,
            Some(End::WithoutParts) => {
                Some("does not have the artifacts that were not stored completely; their")
            }
            None => Some("is unchanged; the"),
        };
        if let Some(left) = left.filter(|_| has_blobs(&layout)) {
            tracing::warn!(
                "{file} {left} content that was stored so far is in {partial}, and the next command that writes {file} \
                 continues with it"
            );
            return;
        }
        // The lock file is removed after the layout, because other sessions wait for it. Removing the directory fails if
        // the next session has created its lock already.
        let removed = fs::remove_dir_all(&layout)
            .and_then(|()| fs::remove_file(self.path.join(LOCK)))
            .and_then(|()| fs::remove_dir(&self.path));
        if let Err(error) = removed {
            tracing::debug!(path = %self.path.display(), %error, "the directory was not removed");
        }
    }
}

/// Tries to lock the directory at `path`, and creates it if it does not exist. Returns `None` if another session has the
/// lock, or has just removed the directory.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = directory_of(path).display();
            let reason = format!("there is no directory {directory}");
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let at = path.join(LOCK);
    let mut options = File::options();
    let opened = options.read(true).write(true).create(true).truncate(false);
    let lock = match opened.open(&at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match Locking::exclusive(&lock, &at)? {
        Locking::Busy => Ok(None),
        Locking::Locked | Locking::Unsupported => Ok(is_at(&lock, &at)?.then_some(lock)),
    }
}

/// Whether the layout in `directory` has a complete blob.
fn has_blobs(directory: &Path) -> bool {
    let Ok(algorithms) = fs::read_dir(directory.join(BLOBS)) else {
        return false;
    };
    let mut blobs = algorithms.flatten().filter_map(|algorithm| {
        let mut blobs = fs::read_dir(algorithm.path()).ok()?.flatten();
        blobs.find(|blob| !is_temporary(&blob.file_name().to_string_lossy()))
    });
    blobs.next().is_some()
}
