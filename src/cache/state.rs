//! The state of a user: data that cannot be received again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::content::{create_private_directory, directory_of, if_there, user_directory};

use super::error::Error;
use super::lock::Lock;
use super::paths::{IDENTITY, repository_path};
#[cfg(unix)]
use super::private::require_private;

/// The version of the format.
const VERSION: &str = "v1";
const IDENTITIES: &str = "identities";
/// The file that is locked while a pin changes.
const LOCK: &str = "lock";

/// The state of one user on one machine: the pins of repositories. It is cheap to clone, and any number of
/// processes may use it at once.
#[derive(Debug, Clone)]
pub struct State {
    /// The directory with the files. `None` when no directory is known.
    root: Option<Arc<Path>>,
}

impl State {
    /// Returns the state in `directory`, or in the user's directory. Creates nothing.
    pub(super) fn in_directory(directory: Option<&Path>) -> Result<Self, Error> {
        let directory = match directory {
            Some(directory) => Some(directory.to_owned()),
            None => user_directory("XDG_STATE_HOME", ".local/state")
                .map(|state| state.join("wasmcloud-par")),
        };
        let Some(directory) = directory else {
            return Ok(Self { root: None });
        };
        let absolute = std::path::absolute(&directory);
        let absolute = absolute.map_err(Error::state_directory(&directory))?;
        let root: PathBuf = absolute.join(VERSION);
        Ok(Self {
            root: Some(root.into()),
        })
    }

    /// Returns the directory with the files of this state, which is named after the version of the format, in the
    /// directory in which the state was opened. It may not exist. `None` when no directory is known.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Requires that no other user can change the state, if it exists.
    pub(super) fn require_private(&self) -> Result<(), Error> {
        let Some(root) = &self.root else {
            return Ok(());
        };
        let there = if_there(root, root.metadata());
        if there.map_err(Error::state_directory(root))?.is_some() {
            #[cfg(unix)]
            require_private(root).map_err(Error::of_state)?;
        }
        Ok(())
    }

    /// Creates the directory of the state, waits until no other task has locked the state, and locks it. Blocks.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        let root = self.root.as_ref().ok_or(Error::NoStateDirectory)?;
        create_private_directory(root).map_err(Error::state_directory(root))?;
        self.require_private()?;
        let path = root.join(LOCK);
        Lock::wait_for(&path).map_err(Error::state_file(&path))
    }

    /// Returns the directory of the pins.
    pub(super) fn pins_directory(&self) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(IDENTITIES))
    }

    /// Returns the file with the publisher to which `registry/repository` is pinned.
    pub(super) fn pin_file(&self, repository: &str) -> Result<Option<PathBuf>, Error> {
        let path = repository_path(repository);
        let path = path.ok_or_else(|| Error::MalformedName(repository.to_owned()))?;
        let pins = self.pins_directory();
        Ok(pins.map(|directory| directory.join(path).join(IDENTITY)))
    }

    pub(super) fn create_parent(path: &Path) -> Result<(), Error> {
        let parent = directory_of(path);
        create_private_directory(parent).map_err(Error::state_directory(parent))
    }
}
