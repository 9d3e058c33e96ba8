//! Storing credentials, and removing them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::content::{
    blocking, create_private_directory, directory_of, followed, try_lock_directory,
};

use super::super::error::Error;
use super::file::CredentialFile;
use super::helper_program::Helper;
use super::places::{self, variable};
use super::source::{CredentialSource, helper_failed, read};

/// How long to wait for other processes that change files in the same directory. Each one takes milliseconds, or longer
/// on a busy disk, but there may be many.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// The time between two attempts to lock the directory.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// The place in which credentials were stored, or from which they were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Kept {
    /// The file with the credentials, or with the name of their helper.
    pub path: PathBuf,
    /// The helper with the credentials. Without a helper, they are in the file in plain text.
    pub helper: Option<String>,
}

impl Kept {
    fn new(path: PathBuf, helper: Option<Helper>) -> Self {
        let helper = helper.map(|helper| helper.name().to_owned());
        Self { path, helper }
    }
}

impl CredentialSource {
    /// Stores a user and a password where [`find`](Self::find) finds them for `registry`: in `registry_config`, else in
    /// the file in `REGISTRY_AUTH_FILE`, else in Docker's `config.json`. When that file names a helper for the
    /// registry, the helper stores them. The file is replaced in one step where that is possible. Then only its owner
    /// can read it. Everything else in the file stays.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command logs in"))]
    pub(crate) async fn keep(
        &self,
        registry: &str,
        user: &str,
        password: &str,
    ) -> Result<Kept, Error> {
        let path = self.written_file(registry)?;
        let helper = helper(&path, registry).await?;
        // Credentials that a helper stores are not written to the file.
        let mut credentials = Some((user.to_owned(), password.to_owned()));
        if let Some(helper) = &helper {
            let stored = helper.store(registry, user, password).await;
            stored.map_err(|source| helper_failed(&path, registry, source))?;
            credentials = None;
        }
        let file = path.clone();
        let create =
            move || create_private_directory(directory_of(&file)).map_err(Error::file(&file));
        blocking(create).await?;
        let changed = change(&path, registry, move |file, registry| {
            let credentials = credentials.as_ref();
            let credentials = credentials.map(|(user, password)| (&**user, &**password));
            file.put(registry, credentials).map(|()| true)
        });
        match changed.await {
            // The helper has the credentials. The empty entry in the file is only information for other tools.
            Err(error @ Error::CredentialsNotStored { .. }) if helper.is_some() => {
                tracing::debug!(%error, "the file has no entry for what the helper keeps");
            }
            changed => drop(changed?),
        }
        Ok(Kept::new(path, helper))
    }

    /// Checks that [`keep`](Self::keep) can store credentials for `registry`. Changes nothing, and does not run a
    /// helper. A file that already has `credentials` may be read-only.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command logs in"))]
    pub(crate) async fn check_keep(
        &self,
        registry: &str,
        credentials: Option<(String, String)>,
    ) -> Result<(), Error> {
        let (path, registry) = (self.written_file(registry)?, registry.to_owned());
        if let Some(helper) = helper(&path, &registry).await? {
            let installed = helper.check_installed();
            installed.map_err(|source| helper_failed(&path, &registry, source))?;
        }
        blocking(move || {
            let credentials = credentials.as_ref();
            let credentials = credentials.map(|(user, password)| (&**user, &**password));
            CredentialFile::check_change(&path, &registry, credentials)
        })
        .await
    }

    /// Removes the credentials that [`keep`](Self::keep) stores. Returns `None` when there were none.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command logs in"))]
    pub(crate) async fn forget(&self, registry: &str) -> Result<Option<Kept>, Error> {
        let path = self.written_file(registry)?;
        let helper = helper(&path, registry).await?;
        let mut known = false;
        if let Some(helper) = &helper {
            let erased = helper.erase(registry).await;
            known = erased.map_err(|source| helper_failed(&path, registry, source))?;
        }
        known |= change(&path, registry, |file, registry| Ok(file.remove(registry))).await?;
        Ok(known.then(|| Kept::new(path, helper)))
    }

    fn written_file(&self, registry: &str) -> Result<PathBuf, Error> {
        let path = places::written_file(self.registry_config.as_deref(), variable);
        path.ok_or_else(|| Error::CredentialFile {
            registry: registry.to_owned(),
            path: PathBuf::from("~/.docker/config.json"),
            source: io::Error::new(io::ErrorKind::NotFound, "the home directory is unknown"),
        })
    }
}

/// Returns the helper that the file at `path` names for `registry`.
async fn helper(path: &Path, registry: &str) -> Result<Option<Helper>, Error> {
    let file = read(path, registry).await?;
    match file {
        Some(file) => file.helper(registry),
        None => Ok(None),
    }
}

/// Calls [`CredentialFile::change`] while the directory of the file is locked.
async fn change(
    path: &Path,
    registry: &str,
    change: impl FnOnce(&mut CredentialFile, &str) -> Result<bool, Error> + Send + 'static,
) -> Result<bool, Error> {
    let lock = lock(path, LOCK_WAIT).await;
    let (path, registry) = (path.to_owned(), registry.to_owned());
    blocking(move || {
        // The lock lasts until the file is written, even when the future is dropped.
        let _lock = lock;
        CredentialFile::change(&path, &registry, |file| change(file, &registry))
    })
    .await
}

/// Locks the directory of the file to which `path` leads. Returns `None` where directories cannot be locked, and when
/// another process has the lock for longer than `limit`. The file is then changed without a lock, because most programs
/// that change it do not lock it either.
async fn lock(path: &Path, limit: Duration) -> Option<File> {
    let started = Instant::now();
    loop {
        let path = path.to_owned();
        let locked = blocking(move || {
            let target = followed(&path);
            Ok::<_, Error>(target.and_then(|target| try_lock_directory(directory_of(&target))))
        });
        match locked.await.ok()? {
            Ok(locked) => return Some(locked),
            Err(error)
                if error.kind() != io::ErrorKind::WouldBlock || started.elapsed() >= limit =>
            {
                tracing::debug!(%error, "the directory of the credentials is not locked");
                return None;
            }
            Err(_) => tokio::time::sleep(LOCK_RETRY).await,
        }
    }
}

#[cfg(test)]
#[path = "tests/keep.rs"]
mod tests;
