//! The files that `par lock` writes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::client::{Error, Lock};
use crate::content::AtomicFile;

/// Writes the lock, if it has changed, and then the deployment with its digests, if there is one. The deployment is on
/// the disk as a temporary file before the lock file changes, so a failure leaves both files as they were, unless only
/// the last step fails, which gives the deployment its name. Blocks.
pub(super) fn write_both(
    lock: Option<(PathBuf, Lock)>,
    deployment: Option<(PathBuf, String)>,
) -> Result<()> {
    let mut prepared = None;
    if let Some((path, text)) = deployment {
        let file = prepare(&path, &text).map_err(cannot_write(&path))?;
        prepared = Some((path, file));
    }
    if let Some((path, lock)) = lock {
        lock.write(&path).map_err(Error::from)?;
    }
    if let Some((path, file)) = prepared {
        file.commit().map_err(cannot_write(&path))?;
    }
    Ok(())
}

/// Writes `text` to a temporary file beside `path`.
fn prepare(path: &Path, text: &str) -> io::Result<AtomicFile> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}
