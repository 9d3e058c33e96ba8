//! The files that `par mirror` writes.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cli::arguments::{Deployment, RegistryArgs};
use crate::cli::failures::Failures;
use crate::cli::output::{Failure, path_text};
use crate::cli::threads::blocking;
use crate::client::{Error, MirrorDestination, MirrorHosts};
use crate::content::{AtomicFile, ErrorKind, read_file_bounded};

/// The name of the file in which a host finds the mirrors of a registry.
pub(super) const HOSTS: &str = "hosts.toml";
/// How many bytes of an existing `hosts.toml` are read. What this command writes is shorter.
const LONGEST_HOSTS: u64 = 64 << 10;

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

/// Writes a `hosts.toml` for each registry below `directory`. A file that this command did not write stays as it is, and
/// is a failure.
pub(super) async fn write_hosts(
    directory: &Path,
    hosts: &[MirrorHosts],
    failures: &mut Failures,
) -> Result<()> {
    for hosts in hosts {
        let directory = directory.join(hosts.directory());
        let path = directory.join(HOSTS);
        let (existing, text) = (path.clone(), hosts.text.clone());
        let is_other = blocking(move || {
            let write_error = |source| Error::Write {
                path: directory.clone(),
                source,
            };
            std::fs::create_dir_all(&directory).map_err(write_error)?;
            match read_file_bounded(&existing, LONGEST_HOSTS) {
                Ok(bytes) => Ok(!is_written_here(&bytes, &text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                Err(_) => Ok(true),
            }
        });
        if is_other.await? {
            let path = path_text(&path);
            let message = format!("{path} was left as it is: `par mirror` has not written it");
            let hint = "add to it the tables that the command prints, or move it away and run the command again";
            let failure = Failure::new(ErrorKind::Conflict, message).hint(hint);
            failures.add(path, &failure.into());
        } else {
            write(path, hosts.text.clone()).await?;
        }
    }
    Ok(())
}

/// Returns whether `existing` is a `hosts.toml` that this command has written, perhaps for another mirror: only the first
/// line, which names the mirror, may be different from that of `text`.
fn is_written_here(existing: &[u8], text: &str) -> bool {
    let existing = String::from_utf8_lossy(existing);
    let below = |text: &str| text.split_once('\n').map(|(_, below)| below.to_owned());
    existing.starts_with("[host.") && below(&existing) == below(text)
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
