//! Changes of the `index.json` of a layout in a directory. Only one process changes it at a time.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::content::{Descriptor, Digest, Locking, locked_when_free};

use super::super::error::Error;
use super::super::referrers::referrers_tag;
use super::files::{INDEX, MARKER, replace};
use super::index::Index;

/// Lists `descriptor` under `tag` in the index of the layout in `directory`. Blocks while another process
/// changes the index.
pub(super) fn update(directory: &Path, descriptor: &Descriptor, tag: &str) -> Result<(), Error> {
    change(directory, |index| Ok(index.set(descriptor, tag)))
}

/// Lists `descriptor` without a name in the index of the layout in `directory`, unless it is listed. Blocks while
/// another process changes the index.
pub(super) fn add(directory: &Path, descriptor: &Descriptor) -> Result<(), Error> {
    change(directory, |index| Ok(index.add(descriptor)))
}

/// Removes the name `tag` from the manifest that it names in the index of the layout in `directory`. Blocks while
/// another process changes the index.
pub(super) fn untag(directory: &Path, tag: &str) -> Result<(), Error> {
    change(directory, |index| index.unset(tag))
}

/// Replaces the list of the referrers of `subject` in the index of the layout in `directory`. `edit` gets the descriptor
/// of the existing list, and returns the new list, or `None` to change nothing. Blocks while another process
/// changes the index.
pub(super) fn replace_list(
    directory: &Path,
    subject: &Digest,
    edit: impl FnOnce(Option<Descriptor>) -> Result<Option<Descriptor>, Error>,
) -> Result<(), Error> {
    change(directory, |index| {
        let tag = referrers_tag(subject);
        let before = index.find_name(&tag)?;
        Ok(match edit(before)? {
            Some(after) => index.replace(&after, &tag, subject),
            None => false,
        })
    })
}

/// Changes the index of the layout in `directory` if `edit` returns `true`. Blocks while another process changes it.
fn change(
    directory: &Path,
    edit: impl FnOnce(&mut Index) -> Result<bool, Error>,
) -> Result<(), Error> {
    // The marker is locked because it always exists and is never replaced. The format has no lock files.
    let marker = directory.join(MARKER);
    let lock = open_marker(&marker).map_err(Error::file(&marker))?;
    // Closing the file at the end of this function releases the lock.
    match locked_when_free(&lock, &marker).map_err(Error::file(&marker))? {
        Locking::Locked | Locking::Unsupported => {}
        Locking::Busy => return Err(Error::file(&marker)(io::ErrorKind::WouldBlock.into())),
    }
    let before = Index::read(directory)?;
    let mut index = before.clone();
    if !edit(&mut index)? {
        return Ok(());
    }
    let text = index.text_after(&before)?;
    replace(&directory.join(INDEX), text.as_bytes())
}

/// Opens the marker for writing, because NFS does not lock a file exclusively when it is open for reading only. A
/// marker that another tool has made read-only is opened for reading.
fn open_marker(marker: &Path) -> io::Result<File> {
    let open = File::options().read(true).write(true).open(marker);
    match open {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(marker),
        opened => opened,
    }
}
