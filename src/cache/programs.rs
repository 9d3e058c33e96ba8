//! Readable names of executables. They appear in lists of processes.
//!
//! The file of an executable has its signed hash as its name, which people cannot recognise. Its readable name is a
//! second name (a hard link) of the same file. Each executable has its own directory for readable names, because
//! several providers can have the same executable under different names. Where the file system has no hard links, the
//! executable is started by the path with its hash.

use std::fs::{self, read_dir};
use std::io;
use std::path::{Path, PathBuf};

use crate::content::{Digest, give_second_name, is_absent, is_at};

use super::error::Error;
use super::files::{found, open_file, remove};
use super::lookup::Held;
use super::open::Cache;
use super::paths::Kind;

/// The most characters of the name of a provider, and of the name of a target.
const LONGEST: usize = 48;

/// Returns the readable name of the executable for `target` of the provider `name`. Publishers choose both texts, so
/// the result has only letters, digits, `_` and `-`, and begins with a letter or a digit. The provider comes first,
/// because the system shows only the first 15 characters of the name of a process. The result is never a reserved name
/// of Windows, because none of these has a `-`.
pub(crate) fn program_name(name: Option<&str>, target: &str) -> String {
    let name = name.map(plain).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "provider".to_owned());
    format!("{name}-{}", plain(target))
}

/// Returns `text` with one `-` for each sequence of characters that are not safe in the name of a file.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if plain.len() >= LONGEST {
            break;
        }
        if character.is_ascii_alphanumeric() || character == '_' && !plain.is_empty() {
            plain.push(character);
        } else if !plain.is_empty() && !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.trim_end_matches(['-', '_']).to_owned()
}

/// Gives the executable `held` the readable name `name`, and returns the path with that name. Where the file system
/// does not allow a second name, returns the path with the hash.
pub(super) fn program(cache: &Cache, digest: &Digest, name: &str, held: &Held) -> PathBuf {
    let path = cache.paths.programs(digest).join(name);
    let give = || {
        // An error says that something is in the way, such as a loop of symbolic links.
        if matches!(is_at(&held.file, &path), Ok(true)) {
            return Ok(());
        }
        cache.paths.make_way(&path).map_err(io::Error::other)?;
        give_second_name(&held.path, &path)
    };
    match give() {
        Ok(()) => path,
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "the executable has no readable name");
            held.path.clone()
        }
    }
}

impl Cache {
    /// Returns the sorted paths of the readable names of the executable of `digest`.
    pub(super) fn program_paths(&self, digest: &Digest) -> Result<Vec<PathBuf>, Error> {
        let directory = self.paths.programs(digest);
        let list = || {
            let entries = read_dir(&directory)?;
            entries.map(|entry| Ok(entry?.path())).collect()
        };
        let mut paths: Vec<PathBuf> = match list() {
            Err(error) if is_absent(&error) => Vec::new(),
            listed => listed.map_err(Error::file(&directory))?,
        };
        paths.sort();
        Ok(paths)
    }

    /// Removes the readable names of the executable of `digest`.
    pub(super) fn remove_programs(&self, digest: &Digest) -> Result<(), Error> {
        for path in self.program_paths(digest)? {
            remove(&path).map_err(Error::file(&path))?;
        }
        self.remove_empty_directory(digest);
        Ok(())
    }

    /// Removes the directory of the readable names of the executable of `digest`, if it is empty.
    pub(super) fn remove_empty_directory(&self, digest: &Digest) {
        let directory = self.paths.programs(digest);
        if let Err(error) = fs::remove_dir(&directory)
            && !matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::DirectoryNotEmpty
            )
        {
            tracing::debug!(path = %directory.display(), %error, "a directory stays behind");
        }
    }

    /// Whether the readable name at `path` leads to the executable of `digest`.
    pub(super) fn is_program_of(&self, path: &Path, digest: &Digest) -> io::Result<bool> {
        let executable = self.paths.content(Kind::Executable, digest);
        match open_file(&executable)? {
            Some(file) => is_at(&file, path),
            None => Ok(false),
        }
    }

    /// Whether the executable of `digest` is cached, but `path`, which should be a readable name of it, leads to
    /// another file.
    pub(super) fn names_another_file(&self, digest: &Digest, path: &Path) -> Result<bool, Error> {
        let executable = self.paths.content(Kind::Executable, digest);
        let other = || Ok(found(&executable)?.is_some() && !self.is_program_of(path, digest)?);
        other().map_err(Error::file(path))
    }
}

#[cfg(test)]
#[path = "tests/programs.rs"]
mod tests;
