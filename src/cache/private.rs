//! Checking that no other user can change the files of the cache or the state.
//!
//! Executables are started by their path. A user who may write to a directory above the cache can rename the directory
//! of the cache and put other files in its place, even if that directory itself is private. So all directories above
//! are checked, as OpenSSH does for its files.

use std::ffi::OsString;
use std::fs::{Metadata, read_link, symlink_metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use crate::content::{LINKS, is_ours};

use super::error::Error;

/// The permission bits that let the group or all users write.
const SHARED: u32 = 0o022;
/// The permission bit of a directory in which users may remove and rename only their own files.
const STICKY: u32 = 0o1000;

/// Refuses a directory that another user could change or replace.
///
/// The directory must belong to the user, and no other user may write to it. The directories above it must belong to
/// the user or to the system, and no other user may rename files in them.
pub(super) fn require_private(root: &Path) -> Result<(), Error> {
    let steps = steps_to(root)?;
    match steps.last() {
        Some((_, own)) if is_ours(own) && own.mode() & SHARED != 0 => {
            return Err(Error::SharedDirectory(root.to_owned()));
        }
        Some((_, own)) if is_ours(own) => {}
        _ => return Err(Error::ForeignDirectory(root.to_owned())),
    }
    // The user of the system is root, or the user that represents root in a user namespace.
    let system = look(Path::new("/"))?.uid();
    for (path, found) in &steps {
        if !is_ours(found) && found.uid() != 0 && found.uid() != system {
            return Err(Error::ForeignDirectory(path.to_owned()));
        }
        if !found.is_dir() || !others_may_rename_in(found) {
            continue;
        }
        // A volume of a container often belongs to root and is writable for all users, but a container has no other
        // users.
        if found.uid() == system && is_mounted(path, found) {
            tracing::warn!(
                "every user who may write to {} can replace the cache",
                path.display()
            );
        } else {
            return Err(Error::SharedDirectory(path.to_owned()));
        }
    }
    Ok(())
}

/// Returns each directory and each symbolic link on the way to `path`, in order, with `path` itself as the last. A user
/// who may change one of them can lead the rest of the path to another place.
fn steps_to(path: &Path) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let absolute = std::path::absolute(path).map_err(Error::directory(path))?;
    let mut steps = Vec::new();
    let mut links = 0;
    let mut place = PathBuf::new();
    let mut ahead: Vec<OsString> = backwards(&absolute).collect();
    while let Some(name) = ahead.pop() {
        if name == ".." {
            // The symbolic links before `..` have been resolved.
            place.pop();
        } else {
            place.push(name);
        }
        let found = look(&place)?;
        let is_link = found.is_symlink();
        steps.push((place.clone(), found));
        if is_link {
            links += 1;
            if links > LINKS {
                let reason = "its symbolic links form a loop";
                return Err(Error::directory(path)(io::Error::other(reason)));
            }
            let target = read_link(&place).map_err(Error::directory(&place))?;
            place.pop();
            // An absolute target begins with the root directory. Pushing that replaces the path so far.
            ahead.extend(backwards(&target));
        }
    }
    Ok(steps)
}

/// Returns the names in a path, the last one first.
fn backwards(path: &Path) -> impl Iterator<Item = OsString> {
    let names = path.components().rev();
    names.map(|name| name.as_os_str().to_owned())
}

fn look(path: &Path) -> Result<Metadata, Error> {
    symlink_metadata(path).map_err(Error::directory(path))
}

/// Whether users other than the owner may rename files in a directory.
fn others_may_rename_in(directory: &Metadata) -> bool {
    let (mode, group) = (directory.mode(), directory.gid());
    // On systems where each user has a group of the same number, that group may write to all new files.
    let own_group = group == getegid().as_raw() && group == geteuid().as_raw();
    let shared = if own_group { 0o002 } else { SHARED };
    mode & shared != 0 && mode & STICKY == 0
}

/// Whether a volume is mounted at a directory.
fn is_mounted(directory: &Path, found: &Metadata) -> bool {
    let above = directory.parent().map(symlink_metadata);
    above.is_some_and(|above| above.is_ok_and(|above| above.dev() != found.dev()))
}
