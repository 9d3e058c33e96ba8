//! The files that `par mirror` writes.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cli::arguments::{Deployment, RegistryArgs};
use crate::cli::output::path_text;
use crate::cli::threads::blocking;
use crate::client::{Error, MirrorDestination, MirrorHosts};
use crate::content::AtomicFile;

/// The name of the file in which a host finds the mirrors of a registry.
pub(super) const HOSTS: &str = "hosts.toml";

/// Writes a deployment whose references are replaced by the names in the mirror. Returns the path.
pub(super) async fn write_list(
    path: &Path,
    deployment: &Deployment,
    mirror: &MirrorDestination,
    registry: &RegistryArgs,
) -> Result<String> {
    let text = deployment.renamed(|written| {
        let reference = registry.settle(written.parse().ok()?, false).ok()?;
        let is_by_digest = reference.tag().is_none();
        let name = mirror.name_of(&reference).ok()?;
        Some(match name.digest().cloned() {
            // The list names only the digest. The tag in the mirror is only there so that the registry keeps the manifest.
            Some(digest) if is_by_digest => name.pinned(&digest),
            _ => name.to_string(),
        })
    })?;
    write(path.to_owned(), text).await?;
    Ok(path_text(path))
}

/// Writes a `hosts.toml` for each registry below `directory`.
pub(super) async fn write_hosts(directory: &Path, hosts: &[MirrorHosts]) -> Result<()> {
    for hosts in hosts {
        let directory = directory.join(hosts.directory());
        let path = directory.join(HOSTS);
        blocking(move || {
            std::fs::create_dir_all(&directory).map_err(|source| Error::Write {
                path: directory.clone(),
                source,
            })?;
            Ok(())
        })
        .await?;
        write(path, hosts.text.clone()).await?;
    }
    Ok(())
}

async fn write(path: PathBuf, text: String) -> Result<()> {
    blocking(move || {
        AtomicFile::create(&path)
            .and_then(|file| file.commit_with(text.as_bytes()))
            .map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })?;
        Ok(())
    })
    .await
}
