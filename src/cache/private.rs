//! Whether anybody else could change what is in the cache.
//!
//! Executables are started by their path. Who may write to a folder above them can put others there, by
//! renaming the folder of the cache, whatever its own permission bits say. So they are all looked at, as
//! OpenSSH does with its files.

#[cfg(unix)]
use std::fs::{Metadata, canonicalize, symlink_metadata};
use std::path::Path;

use super::error::Error;
#[cfg(unix)]
use super::seal::is_ours;

#[cfg(unix)]
const SHARED: u32 = 0o022;
/// Who may write to the folder may remove and rename only what is theirs.
#[cfg(unix)]
const STICKY: u32 = 0o1000;

/// Refuses a folder in which others could change things, or that they could put another one in place of.
///
/// The folder is the user's, and nobody else may write to it. Those above it are the user's or the
/// system's, and whoever else may write to them may not rename what is in them.
#[cfg(unix)]
pub(super) fn require_private(root: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;

    let look = |path: &Path| symlink_metadata(path).map_err(Error::file(path));
    // The path that is handed out, and the one that links in it lead to.
    let actual = canonicalize(root).map_err(Error::file(root))?;
    let own = look(&actual)?;
    if !is_ours(&own) {
        return Err(Error::ForeignDirectory(root.to_owned()));
    }
    if own.mode() & SHARED != 0 {
        return Err(Error::SharedDirectory(root.to_owned()));
    }
    // Root, or what it is taken for in a user namespace.
    let system = look(Path::new("/"))?.uid();
    let resolved = (actual != root).then(|| actual.ancestors());
    for path in root.ancestors().chain(resolved.into_iter().flatten()) {
        let found = look(path)?;
        if !is_ours(&found) && found.uid() != 0 && found.uid() != system {
            return Err(Error::ForeignDirectory(path.to_owned()));
        }
        if !found.is_dir() || !others_may_rename_in(&found) {
            continue;
        }
        // Containers get volumes that are root's and open to all, and nobody else is there.
        if found.uid() == system && is_mounted(path, &found) {
            tracing::warn!(
                "whoever may write to {} can replace the cache",
                path.display()
            );
        } else {
            return Err(Error::SharedDirectory(path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn others_may_rename_in(folder: &Metadata) -> bool {
    use rustix::process::{getegid, geteuid};
    use std::os::unix::fs::MetadataExt;

    let (mode, group) = (folder.mode(), folder.gid());
    // Where everybody has a group of their own, with the same number, it may write to all that they make.
    let own_group = group == getegid().as_raw() && group == geteuid().as_raw();
    let shared = if own_group { 0o002 } else { SHARED };
    mode & shared != 0 && mode & STICKY == 0
}

/// Whether a folder is where a volume begins.
#[cfg(unix)]
fn is_mounted(folder: &Path, found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    let above = folder.parent().map(symlink_metadata);
    above.is_some_and(|above| above.is_ok_and(|above| above.dev() != found.dev()))
}

#[cfg(not(unix))]
pub(super) fn require_private(_: &Path) -> Result<(), Error> {
    Ok(())
}
