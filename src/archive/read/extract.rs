//! Taking executables out of an archive while all of it is verified.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::archive::claims::Dates;
use crate::archive::error::Error;
use crate::archive::limits::Limits;
use crate::archive::target::Target;
use crate::content::AtomicFile;

use super::scan::{Contents, Receiver, scan};

/// Writes the executable for `target` to `destination` with the permission bits `mode`, after the
/// whole archive has been verified. A failure leaves no file behind.
///
/// # Errors
///
/// The errors of [`verify`](super::verify), [`Error::NoSuchTarget`], or [`Error::Write`].
pub fn extract(
    mut input: impl Read,
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
    let contents = scan(&mut input, limits, Dates::Valid, &mut receiver)?;
    contents.require(target)?;
    if let Some(file) = receiver.file {
        let committed = file.set_mode(mode).and_then(|()| file.commit());
        committed.map_err(|source| Error::write(destination, source))?;
    }
    Ok(contents)
}

/// Writes each executable for whose target `chosen` returns `true` to a file of its own in `directory`, and verifies
/// the whole archive. Returns the paths of the files.
///
/// When this fails, the files are not verified, and the caller has to remove the directory.
///
/// # Errors
///
/// The errors of [`verify`](super::verify), or [`Error::Write`].
pub(crate) fn extract_chosen(
    mut input: impl Read,
    directory: &Path,
    chosen: impl Fn(&Target) -> bool,
    limits: &Limits,
    dates: Dates,
) -> Result<(Contents, BTreeMap<Target, PathBuf>), Error> {
    let mut receiver = Chosen {
        spool: Spool::new(directory),
        chosen,
    };
    let contents = scan(&mut input, limits, dates, &mut receiver)?;
    Ok((contents, receiver.spool.files))
}

struct Chosen<'a, C> {
    spool: Spool<'a>,
    chosen: C,
}

impl<C: Fn(&Target) -> bool> Receiver for Chosen<'_, C> {
    fn begin(&mut self, target: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error> {
        if (self.chosen)(target) {
            self.spool.begin(target)
        } else {
            Ok(None)
        }
    }
}

struct OneFile<'a> {
    target: &'a Target,
    destination: &'a Path,
    file: Option<AtomicFile>,
}

impl Receiver for OneFile<'_> {
    fn begin(&mut self, target: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error> {
        if target != self.target {
            return Ok(None);
        }
        let file = AtomicFile::create(self.destination)
            .map_err(|source| Error::write(self.destination, source))?;
        Ok(Some((self.file.insert(file), self.destination)))
    }
}

/// A verified archive in memory.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Loaded {
    /// The verified contents of the archive.
    pub contents: Contents,
    /// The bytes of the executables that were asked for.
    pub executables: BTreeMap<Target, Vec<u8>>,
}

/// Verifies a whole archive and returns the bytes of the executable for `target`, or of all executables. They are held
/// in memory. [`extract`] writes one executable to a file instead.
///
/// # Errors
///
/// The errors of [`verify`](super::verify). An archive without `target` gives no executable and no error.
pub fn load(mut input: impl Read, target: Option<&str>, limits: &Limits) -> Result<Loaded, Error> {
    let mut receiver = InMemory {
        only: target,
        executables: BTreeMap::new(),
    };
    let contents = scan(&mut input, limits, Dates::Valid, &mut receiver)?;
    Ok(Loaded {
        contents,
        executables: receiver.executables,
    })
}

struct InMemory<'a> {
    only: Option<&'a str>,
    executables: BTreeMap<Target, Vec<u8>>,
}

impl Receiver for InMemory<'_> {
    fn begin(&mut self, target: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error> {
        if self.only.is_some_and(|only| only != target.as_str()) {
            return Ok(None);
        }
        let bytes = self.executables.entry(target.clone()).or_default();
        Ok(Some((bytes, Path::new("(memory)"))))
    }
}

/// Writes every executable to a file of its own in `directory`. The files are unverified until `scan`
/// has succeeded.
pub(in crate::archive) struct Spool<'a> {
    directory: &'a Path,
    pub(in crate::archive) files: BTreeMap<Target, PathBuf>,
    current: Option<File>,
}

impl<'a> Spool<'a> {
    pub(in crate::archive) fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            files: BTreeMap::new(),
            current: None,
        }
    }
}

impl Receiver for Spool<'_> {
    fn begin(&mut self, target: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error> {
        // The name is a number, because the file system may not allow the name of the target.
        let path = self.directory.join(self.files.len().to_string());
        let file = File::create_new(&path).map_err(|source| Error::write(&path, source))?;
        let path = self.files.entry(target.clone()).or_insert(path);
        Ok(Some((self.current.insert(file), path)))
    }
}
