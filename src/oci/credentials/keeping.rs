//! Putting credentials where they are found again, and taking them out.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::content::{create_private_folder, folder_of, followed, try_lock_folder};

use super::super::error::Error;
use super::file::CredentialFile;
use super::helper_program::Helper;
use super::server::server;
use super::{CredentialSource, blocking, helper_failed, places, read, variable};

/// How long others are waited for who change files in the same folder. It takes milliseconds, or as long as a
/// busy disk wants, and there may be many of them.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How often is looked whether they are done.
const LOOK: Duration = Duration::from_millis(20);

/// Where credentials were put, or taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The file that says where they are.
    pub path: PathBuf,
    /// The program that has them. `None`: they are in the file itself, readable to whoever may read it.
    pub helper: Option<String>,
}

impl Kept {
    fn new(path: PathBuf, helper: Option<Helper>) -> Self {
        let helper = helper.map(|helper| helper.name().to_owned());
        Self { path, helper }
    }
}

impl CredentialSource {
    /// Puts a user and a password where [`find`](Self::find) finds them for `registry`: in
    /// `registry_config`, else in the file in `REGISTRY_AUTH_FILE`, else in Docker's `config.json`; and
    /// there with the helper for this registry, when the file names one. The file is replaced in one
    /// step, and nobody but its owner may read it; everything else in it stays.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find), and [`Error::File`] when the file cannot be written.
    pub async fn keep(&self, registry: &str, user: &str, password: &str) -> Result<Kept, Error> {
        let path = self.kept_in(registry)?;
        let helper = helper(&path, registry).await?;
        // What a helper keeps does not go into the file.
        let mut credentials = Some((user.to_owned(), password.to_owned()));
        if let Some(helper) = &helper {
            let stored = helper.store(server(registry), user, password).await;
            stored.map_err(|source| helper_failed(&path, registry, source))?;
            credentials = None;
        }
        make_folder(&path).await?;
        change(&path, registry, move |file, registry| {
            let credentials = credentials.as_ref();
            file.put(
                registry,
                credentials.map(|(user, password)| (&**user, &**password)),
            )?;
            Ok(true)
        })
        .await?;
        Ok(Kept::new(path, helper))
    }

    /// Takes out what [`keep`](Self::keep) put there. `None` when there was nothing.
    ///
    /// # Errors
    ///
    /// As for [`keep`](Self::keep).
    pub async fn forget(&self, registry: &str) -> Result<Option<Kept>, Error> {
        let path = self.kept_in(registry)?;
        let helper = helper(&path, registry).await?;
        let mut known = false;
        if let Some(helper) = &helper {
            let server = server(registry);
            let failed = |source| helper_failed(&path, registry, source);
            // Some erase what is not there without a word.
            if helper.get(server).await.map_err(failed)?.is_some() {
                helper.erase(server).await.map_err(failed)?;
                known = true;
            }
        }
        known |= change(&path, registry, |file, registry| Ok(file.remove(registry))).await?;
        Ok(known.then(|| Kept::new(path, helper)))
    }

    fn kept_in(&self, registry: &str) -> Result<PathBuf, Error> {
        let path = places::kept_in(self.registry_config.as_deref(), variable);
        path.ok_or_else(|| Error::CredentialFile {
            registry: registry.to_owned(),
            path: PathBuf::from("~/.docker/config.json"),
            source: io::Error::new(io::ErrorKind::NotFound, "nobody knows a home folder"),
        })
    }
}

/// The helper that keeps the credentials of `registry`, as the file says.
async fn helper(path: &Path, registry: &str) -> Result<Option<Helper>, Error> {
    let file = read(path, registry).await?;
    Ok(file.and_then(|file| file.helper(registry)))
}

async fn make_folder(path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    blocking(move || {
        let made = create_private_folder(folder_of(&path));
        made.map_err(|source| Error::File { path, source })
    })
    .await
}

/// As [`CredentialFile::change`]. Whoever else changes a file in the same folder like this waits.
async fn change(
    path: &Path,
    registry: &str,
    change: impl FnOnce(&mut CredentialFile, &str) -> Result<bool, Error> + Send + 'static,
) -> Result<bool, Error> {
    let lock = lock(path, LOCK_WAIT).await;
    let (path, registry) = (path.to_owned(), registry.to_owned());
    blocking(move || {
        // Goes with the file, and not with who waits for it.
        let _lock = lock;
        CredentialFile::change(&path, &registry, |file| change(file, &registry))
    })
    .await
}

/// Locks the folder that a file is in, wherever links lead. `None` where folders cannot be locked, and when
/// somebody does not let go of it: most programs that change these files know no locks at all.
async fn lock(path: &Path, limit: Duration) -> Option<File> {
    let started = Instant::now();
    loop {
        let path = path.to_owned();
        let locked = blocking(move || {
            let place = followed(&path);
            Ok::<_, Error>(place.and_then(|place| try_lock_folder(folder_of(&place))))
        });
        match locked.await.ok()? {
            Ok(locked) => return Some(locked),
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock && started.elapsed() < limit =>
            {
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the folder of the credentials is not locked");
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Credentials;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_who_log_in_or_out_at_once_nobody_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let source = CredentialSource {
            registry_config: Some(folder.path().join("new/config.json")),
            ..CredentialSource::default()
        };
        let registries: Vec<_> = (0..12).map(|number| format!("r{number}.test")).collect();
        for leaving in [false, true] {
            let tasks = registries.iter().enumerate().map(|(number, registry)| {
                let (source, registry) = (source.clone(), registry.clone());
                tokio::spawn(async move {
                    if leaving && number % 2 == 0 {
                        source.forget(&registry).await.unwrap().unwrap();
                    } else if !leaving {
                        source.keep(&registry, "jane", "secret").await.unwrap();
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
        }
        for (number, registry) in registries.iter().enumerate() {
            let found = source.find(registry, "provider").await.unwrap();
            assert_eq!(
                found == Credentials::Anonymous,
                number % 2 == 0,
                "{registry}"
            );
        }
    }

    #[tokio::test]
    async fn who_never_lets_go_of_the_folder_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        let link = folder.path().join("elsewhere/link.json");
        std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        // The folder that counts is that of the file, which need not be there.
        let held = try_lock_folder(folder.path()).unwrap();
        let started = Instant::now();
        let limit = Duration::from_millis(100);
        assert!(lock(&link, limit).await.is_none());
        assert!(started.elapsed() >= limit);
        drop(held);
        assert!(lock(&link, limit).await.is_some());
    }

    #[tokio::test]
    async fn who_was_never_logged_in_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let source = CredentialSource {
            registry_config: Some(folder.path().join("new/config.json")),
            ..CredentialSource::default()
        };
        assert_eq!(source.forget("r.test").await.unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
