//! An OCI image layout in one file: a tar of the directory, as `skopeo` and `podman` read it under the name
//! `oci-archive`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::content::AtomicFile;

use super::error::Error;
use super::reference::{ParseReferenceError, is_layout_name};

const SCHEME: &str = "oci-archive://";
/// How the name of a file with a layout ends.
const EXTENSION: &str = ".tar";
const FILE: u32 = 0o644;
const DIRECTORY: u32 = 0o755;
/// Few large writes.
const BUFFER: usize = 256 * 1024;

/// The file of a layout, and perhaps the name of a manifest in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArchiveFile {
    pub(crate) path: PathBuf,
    pub(crate) name: Option<String>,
}

impl ArchiveFile {
    /// Parses `oci-archive://FILE[:NAME]`. A file whose name ends in `.tar` ends at the first `.tar:`, and any other
    /// file at the last colon that a name follows. `None` when the text has another scheme.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, ParseReferenceError>> {
        let rest = text.strip_prefix(SCHEME)?;
        let after_extension = rest
            .find(&format!("{EXTENSION}:"))
            .map(|position| position + EXTENSION.len());
        let colon = after_extension.or_else(|| {
            let colon = rest.rfind(':')?;
            let name = rest.get(colon + 1..)?;
            (!rest.ends_with(EXTENSION) && is_layout_name(name) && !name.contains('/'))
                .then_some(colon)
        });
        let (path, name) = match colon.and_then(|colon| rest.split_at_checked(colon)) {
            Some((path, name)) => (path, name.strip_prefix(':')),
            None => (rest, None),
        };
        if path.is_empty() {
            let reference = text.to_owned();
            return Some(Err(ParseReferenceError::FileMissing { reference }));
        }
        if let Some(name) = name.filter(|name| !is_layout_name(name)) {
            return Some(Err(ParseReferenceError::tag(text, name)));
        }
        Some(Ok(Self {
            path: path.into(),
            name: name.map(str::to_owned),
        }))
    }
}

/// Writes the layout in `directory` to the file at `destination`, which gets its name when it is complete. Equal layouts
/// give equal files. Blocks.
///
/// # Errors
///
/// [`Error::File`] with the path that cannot be read or written.
pub(crate) fn write_archive_file(directory: &Path, destination: &Path) -> Result<(), Error> {
    let file = AtomicFile::create(destination).map_err(Error::file(destination))?;
    let mut tar = Builder::new(BufWriter::with_capacity(BUFFER, file));
    for path in entries(directory).map_err(Error::file(directory))? {
        append(&mut tar, directory, &path).map_err(Error::file(&path))?;
    }
    let finish = || {
        let mut output = tar.into_inner()?;
        output.flush()?;
        let file = output.into_inner().map_err(|error| error.into_error())?;
        file.commit().map(drop)
    };
    finish().map_err(Error::file(destination))
}

/// Returns the paths of all files and directories below `directory`, sorted, so that a directory comes before its files.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Appends a file or a directory without an owner and a time.
fn append(tar: &mut Builder<impl Write>, root: &Path, path: &Path) -> io::Result<()> {
    let name = path.strip_prefix(root).map_err(io::Error::other)?;
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    if path.is_dir() {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(DIRECTORY);
        header.set_size(0);
        header.set_cksum();
        return tar.append(&header, io::empty());
    }
    let file = File::open(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(FILE);
    header.set_size(file.metadata()?.len());
    header.set_cksum();
    tar.append(&header, file)
}

#[cfg(test)]
#[path = "tests/archive_file.rs"]
mod tests;
