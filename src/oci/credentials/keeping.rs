//! Putting credentials where they are found again, and taking them out.

use std::io;
use std::path::PathBuf;

use super::super::error::Error;
use super::file::CredentialFile;
use super::helper_program::Helper;
use super::server::server;
use super::{CredentialSource, blocking, places, read, variable};

/// Where credentials were put, or taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The file that says where they are.
    pub path: PathBuf,
    /// The program that has them. `None`: they are in the file itself, readable to whoever may read it.
    pub helper: Option<String>,
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
        let (mut file, helper) = self.open(registry).await?;
        let credentials = match &helper {
            Some(helper) => {
                let stored = helper.store(server(registry), user, password);
                let failed = |source| file.helper_failed(registry, source);
                stored.await.map_err(failed)?;
                None
            }
            None => Some((user, password)),
        };
        file.put(registry, credentials)?;
        write(file, helper).await
    }

    /// Takes out what [`keep`](Self::keep) put there. `None` when there was nothing.
    ///
    /// # Errors
    ///
    /// As for [`keep`](Self::keep).
    pub async fn forget(&self, registry: &str) -> Result<Option<Kept>, Error> {
        let (mut file, helper) = self.open(registry).await?;
        let mut known = file.remove(registry);
        if let Some(helper) = &helper {
            let server = server(registry);
            let failed = |source| file.helper_failed(registry, source);
            // Some erase what is not there without a word.
            if helper.get(server).await.map_err(failed)?.is_some() {
                helper.erase(server).await.map_err(failed)?;
                known = true;
            }
        }
        match known {
            true => Ok(Some(write(file, helper).await?)),
            false => Ok(None),
        }
    }

    async fn open(&self, registry: &str) -> Result<(CredentialFile, Option<Helper>), Error> {
        let path = places::kept_in(self.registry_config.as_deref(), variable);
        let path = path.ok_or_else(|| Error::CredentialFile {
            registry: registry.to_owned(),
            path: PathBuf::from("~/.docker/config.json"),
            source: io::Error::new(io::ErrorKind::NotFound, "HOME is not set"),
        })?;
        let file = read(&path, registry).await?;
        let file = file.unwrap_or_else(|| CredentialFile::empty(path));
        let helper = file.helper(registry);
        Ok((file, helper))
    }
}

async fn write(file: CredentialFile, helper: Option<Helper>) -> Result<Kept, Error> {
    blocking(move || {
        file.write()?;
        Ok(Kept {
            path: file.path,
            helper: helper.map(|helper| helper.name().to_owned()),
        })
    })
    .await
}
