//! Getting executables out of an archive.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::content::AtomicFile;

use super::error::Error;
use super::limits::Limits;
use super::reader::{Contents, Dates, Receiver, scan};
use super::target::Target;

/// Writes the executable for `target` to `destination` with the permission bits `mode`, after the
/// whole archive has been verified. Nothing is left behind on failure.
///
/// # Errors
///
/// As [`verify`](super::verify), [`Error::NoSuchTarget`], or [`Error::Write`].
pub fn extract(
    input: impl Read,
    target: &Target,
    destination: &Path,
    mode: u32,
    limits: &Limits,
) -> Result<Contents, Error> {
    let mut receiver = OneFile {
        target,
        destination,
        file: None,
    };
    let contents = scan(input, limits, Dates::Checked, &mut receiver)?;
    contents.require(target)?;
    if let Some(file) = receiver.file {
        file.set_mode(mode)
            .and_then(|()| file.commit())
            .map_err(|source| write_error(destination, source))?;
    }
    Ok(contents)
}

struct OneFile<'a> {
    target: &'a Target,
    destination: &'a Path,
    file: Option<AtomicFile>,
}

impl Receiver for OneFile<'_> {
    fn begin(&mut self, target: &Target) -> Result<bool, Error> {
        let wanted = target == self.target;
        if wanted {
            let file = AtomicFile::create(self.destination)
                .map_err(|source| write_error(self.destination, source))?;
            self.file = Some(file);
        }
        Ok(wanted)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.file {
            Some(file) => file
                .write_all(bytes)
                .map_err(|source| write_error(self.destination, source)),
            None => Ok(()),
        }
    }
}

/// A verified archive in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the archive holds.
    pub contents: Contents,
    /// The executables that were asked for.
    pub executables: BTreeMap<Target, Vec<u8>>,
}

/// Verifies a whole archive and gives the bytes of its executables: of `target` alone, or of all.
/// They are held in memory; [`extract`] does not.
///
/// # Errors
///
/// As [`verify`](super::verify). An archive without `target` gives no executable, and no error.
pub fn load(input: impl Read, target: Option<&str>, limits: &Limits) -> Result<Loaded, Error> {
    let mut receiver = InMemory {
        only: target,
        executables: BTreeMap::new(),
        current: None,
    };
    let contents = scan(input, limits, Dates::Checked, &mut receiver)?;
    Ok(Loaded {
        contents,
        executables: receiver.executables,
    })
}

struct InMemory<'a> {
    only: Option<&'a str>,
    executables: BTreeMap<Target, Vec<u8>>,
    current: Option<Target>,
}

impl Receiver for InMemory<'_> {
    fn begin(&mut self, target: &Target) -> Result<bool, Error> {
        let wanted = self.only.is_none_or(|only| only == target.as_str());
        if wanted {
            self.executables.insert(target.clone(), Vec::new());
            self.current = Some(target.clone());
        }
        Ok(wanted)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let executable = self
            .current
            .as_ref()
            .and_then(|target| self.executables.get_mut(target));
        if let Some(executable) = executable {
            executable.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// Writes every executable to a file of its own in `folder`. The files count only once `scan` has
/// succeeded.
pub(super) struct Spool<'a> {
    folder: &'a Path,
    pub(super) files: BTreeMap<Target, PathBuf>,
    current: Option<(std::fs::File, PathBuf)>,
}

impl<'a> Spool<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            files: BTreeMap::new(),
            current: None,
        }
    }
}

impl Receiver for Spool<'_> {
    fn begin(&mut self, target: &Target) -> Result<bool, Error> {
        // Numbered: the name is the archive's, and need not be one that the file system allows.
        let path = self.folder.join(self.files.len().to_string());
        let file = std::fs::File::create_new(&path).map_err(|source| write_error(&path, source))?;
        self.files.insert(target.clone(), path.clone());
        self.current = Some((file, path));
        Ok(true)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.current {
            Some((file, path)) => file
                .write_all(bytes)
                .map_err(|source| write_error(path, source)),
            None => Ok(()),
        }
    }
}

pub(super) fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}
