//! Whether anybody else could change what is in the cache.
//!
//! Executables are started by their path. Who may write to a folder above them can put others there, by
//! renaming the folder of the cache, whatever its own permission bits say. So they are all looked at, as
//! OpenSSH does with its files.

use std::ffi::OsString;
use std::fs::{Metadata, read_link, symlink_metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use crate::content::LINKS;

use super::error::Error;
use super::seal::is_ours;

const SHARED: u32 = 0o022;
/// Who may write to the folder may remove and rename only what is theirs.
const STICKY: u32 = 0o1000;

/// Refuses a folder in which others could change things, or that they could put another one in place of.
///
/// The folder is the user's, and nobody else may write to it. Those above it are the user's or the
/// system's, and whoever else may write to them may not rename what is in them.
pub(super) fn require_private(root: &Path) -> Result<(), Error> {
    let way = way_to(root)?;
    match way.last() {
        Some((_, own)) if is_ours(own) && own.mode() & SHARED != 0 => {
            return Err(Error::SharedDirectory(root.to_owned()));
        }
        Some((_, own)) if is_ours(own) => {}
        _ => return Err(Error::ForeignDirectory(root.to_owned())),
    }
    // Root, or what it is taken for in a user namespace.
    let system = look(Path::new("/"))?.uid();
    for (path, found) in &way {
        if !is_ours(found) && found.uid() != 0 && found.uid() != system {
            return Err(Error::ForeignDirectory(path.to_owned()));
        }
        if !found.is_dir() || !others_may_rename_in(found) {
            continue;
        }
        // Containers get volumes that are root's and open to all, and nobody else is there.
        if found.uid() == system && is_mounted(path, found) {
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

/// Every folder and every link that `path` leads through, in this order, itself last. Who may change one of
/// them decides where all that follows leads to.
fn way_to(path: &Path) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let absolute = std::path::absolute(path).map_err(Error::folder(path))?;
    let mut way = Vec::new();
    let mut links = 0;
    let mut place = PathBuf::new();
    let mut ahead: Vec<OsString> = backwards(&absolute).collect();
    while let Some(name) = ahead.pop() {
        if name == ".." {
            // There are no links in it any more.
            place.pop();
        } else {
            place.push(name);
        }
        let found = look(&place)?;
        let is_link = found.is_symlink();
        way.push((place.clone(), found));
        if is_link {
            links += 1;
            if links > LINKS {
                let reason = "its links go round in circles";
                return Err(Error::folder(path)(io::Error::other(reason)));
            }
            let target = read_link(&place).map_err(Error::folder(&place))?;
            place.pop();
            // A target that is absolute begins with the root, which stands in for all before it.
            ahead.extend(backwards(&target));
        }
    }
    Ok(way)
}

/// The names in a path, the last one first.
fn backwards(path: &Path) -> impl Iterator<Item = OsString> {
    let names = path.components().rev();
    names.map(|name| name.as_os_str().to_owned())
}

fn look(path: &Path) -> Result<Metadata, Error> {
    symlink_metadata(path).map_err(Error::folder(path))
}

fn others_may_rename_in(folder: &Metadata) -> bool {
    let (mode, group) = (folder.mode(), folder.gid());
    // Where everybody has a group of their own, with the same number, it may write to all that they make.
    let own_group = group == getegid().as_raw() && group == geteuid().as_raw();
    let shared = if own_group { 0o002 } else { SHARED };
    mode & shared != 0 && mode & STICKY == 0
}

/// Whether a folder is where a volume begins.
fn is_mounted(folder: &Path, found: &Metadata) -> bool {
    let above = folder.parent().map(symlink_metadata);
    above.is_some_and(|above| above.is_ok_and(|above| above.dev() != found.dev()))
}
