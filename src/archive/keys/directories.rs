//! The directories in which `wash` keeps keys.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::archive::error::Error;
use crate::content::{AtomicFile, create_private_directory, home, is_absent, user_directory};

use super::key::Key;
use super::kind::KeyKind;
use super::seed::{GivenKey, KeyOrigin, read_seed, read_text};

/// A key file in one of the [`KeyDirectories`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct KeyFile {
    /// The name of the file without `.nk`.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
    /// The public key of the seed, of any kind. `None` when the file holds no valid seed.
    pub public_key: Option<String>,
}

impl KeyFile {
    /// Reads the file at a path. A file without a valid seed is not an error.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_text(path).map_err(|source| Error::read(path, source))?;
        let name = path.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            path: path.to_owned(),
            public_key: Key::from_seed(&text).ok().map(|key| key.public_key()),
        })
    }
}

/// The directories that hold keys, in the order in which they are searched. New keys go to the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyDirectories {
    directories: Vec<PathBuf>,
    /// Whether the user has named the first directory.
    is_named: bool,
}

impl KeyDirectories {
    /// Returns the directories that `wash` uses: `explicit`, the environment variable `WASH_KEYS`,
    /// `~/.wash/keys`, where `wash build` keeps keys, and where its other commands keep them: `WASH_KEYS_DIR`, or `keys` in
    /// `WASH_DATA_DIR`, or `wash/keys` in the XDG data directory.
    #[must_use]
    pub(crate) fn discover(explicit: Option<&Path>) -> Self {
        let data = || {
            let user = || Some(user_directory("XDG_DATA_HOME", ".local/share")?.join("wash"));
            Some(variable("WASH_DATA_DIR").or_else(user)?.join("keys"))
        };
        let named = explicit.map(Path::to_owned);
        let wash_keys = variable("WASH_KEYS");
        let is_named = named.is_some() || wash_keys.is_some();
        let candidates = [
            named,
            wash_keys,
            home().map(|home| home.join(".wash").join("keys")),
            variable("WASH_KEYS_DIR").or_else(data),
        ];
        let mut directories: Vec<PathBuf> = candidates.into_iter().flatten().collect();
        directories.dedup();
        Self {
            directories,
            is_named,
        }
    }

    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// Returns the directory that the user has named, and what is wrong with it, if it is not there.
    pub(crate) fn missing(&self) -> Option<(&Path, &'static str)> {
        let named = self.named_directory()?;
        match fs::metadata(named) {
            Ok(found) if found.is_dir() => None,
            Ok(_) => Some((named, "is not a directory")),
            Err(error) if is_absent(&error) => Some((named, "does not exist")),
            Err(_) => None,
        }
    }

    fn named_directory(&self) -> Option<&Path> {
        let first = self.directories.first()?;
        self.is_named.then_some(first.as_path())
    }

    /// Warns when the file with a key that is used is not in the directory that the user has named. `what` is the kind
    /// of the key, and `name` is what it was found by.
    pub(crate) fn warn_if_elsewhere(&self, what: &str, name: &str, file: &Path) {
        let Some(named) = self.named_directory() else {
            return;
        };
        if file.parent() == Some(named) {
            return;
        }
        let why = match self.missing() {
            Some((_, problem)) => problem.to_owned(),
            None => format!("has no {what} `{name}`"),
        };
        let (named, file) = (named.display(), file.display());
        tracing::warn!("{named} {why}; the {what} is that of {file}");
    }

    /// Returns the key that `given` names, or else the key in the file `default_name`. When there is no such file and
    /// `generate` is set, generates a key and writes it to that file.
    pub(crate) fn resolve(
        &self,
        given: Option<GivenKey<'_>>,
        default_name: &str,
        kind: KeyKind,
        generate: bool,
    ) -> Result<(Key, KeyOrigin), Error> {
        if let Some(given) = given {
            return given.read(kind);
        }
        if let Some(found) = self.find_file(default_name, kind)? {
            return Ok(found);
        }
        if !generate {
            return Err(Error::NoSuchKey {
                kind: kind.name(),
                name: default_name.to_owned(),
                directories: self.directories.clone(),
            });
        }
        let key = Key::generate(kind);
        match self.create(default_name, &key) {
            Ok(path) => Ok((key, KeyOrigin::Generated(path))),
            // Another process created the file first. Both use its key.
            Err(Error::Write { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                let found = self.find_file(default_name, kind)?;
                found.ok_or_else(|| Error::write(default_name.as_ref(), source))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns whether one of the directories holds a file of this name.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let mut directories = self.directories.iter();
        directories.any(|directory| directory.join(name).exists())
    }

    /// Returns the key in the first file of this name. A file that cannot be read is an error: using another key
    /// instead would change the publisher. Warns when a later directory has another key of this name, which `wash` may
    /// use.
    fn find_file(&self, name: &str, kind: KeyKind) -> Result<Option<(Key, KeyOrigin)>, Error> {
        for (index, directory) in self.directories.iter().enumerate() {
            let path = directory.join(name);
            match fs::symlink_metadata(&path) {
                Ok(_) => {
                    let key = read_seed(&path, kind)?;
                    self.warn_if_elsewhere(&format!("{kind} key"), name, &path);
                    let others = self.directories.iter().skip(index + 1);
                    warn_of_others(&path, &key, others.map(|directory| directory.join(name)));
                    return Ok(Some((key, KeyOrigin::File(path))));
                }
                Err(error) if is_absent(&error) => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        Ok(None)
    }

    /// Returns the key of `kind` whose public key is `public_key`, from any file in the directories.
    /// Fails with [`Error::Read`] when the key may be in a directory that cannot be read.
    pub(crate) fn find(&self, public_key: &str, kind: KeyKind) -> Result<Key, Error> {
        let mut unreadable = None;
        for directory in &self.directories {
            match files(directory) {
                Ok(files) => {
                    let mut files = files.into_iter();
                    let found = files.find(|file| file.public_key.as_deref() == Some(public_key));
                    if let Some(file) = found {
                        let key = read_seed(&file.path, kind)?;
                        self.warn_if_elsewhere(&format!("{kind} key"), public_key, &file.path);
                        return Ok(key);
                    }
                }
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        Err(unreadable.unwrap_or_else(|| Error::NoSuchKey {
            kind: kind.name(),
            name: public_key.to_owned(),
            directories: self.directories.clone(),
        }))
    }

    /// Writes a key to the file `name` in the first directory, which is created when it is missing. Only
    /// the owner can read the file. An existing file is not replaced.
    pub(crate) fn create(&self, name: &str, key: &Key) -> Result<PathBuf, Error> {
        let directory = self.directories.first().ok_or(Error::NoKeyDirectory)?;
        let path = directory.join(name);
        let seed = key.seed()?;
        create_private_directory(directory)
            .and_then(|()| {
                let mut file = AtomicFile::create_private(&path)?;
                file.write_all(seed.as_bytes())?;
                file.commit_new()
            })
            .map_err(|source| Error::write(&path, source))
    }

    /// Returns the key files with the name `name`, with or without `.nk`. When there is none, returns those with the name
    /// `<name>_account` or `<name>_service`, of `kinds` only.
    pub(crate) fn named(&self, name: &str, kinds: &[KeyKind]) -> Result<Vec<KeyFile>, Error> {
        let stem = name.strip_suffix(".nk").unwrap_or(name);
        let files = self.list()?;
        let first = |name: &str| files.iter().find(|file| file.name == name).cloned();
        if let Some(file) = first(stem) {
            return Ok(vec![file]);
        }
        let owned = kinds.iter();
        Ok(owned
            .filter_map(|kind| first(&format!("{stem}_{kind}")))
            .collect())
    }

    /// Returns all key files, in the order of the directories and then of their names.
    pub(crate) fn list(&self) -> Result<Vec<KeyFile>, Error> {
        let found = self.directories.iter().map(|directory| files(directory));
        Ok(found.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Warns about each of the files `others` that holds another key than `key` from the file `used`.
fn warn_of_others(used: &Path, key: &Key, others: impl Iterator<Item = PathBuf>) {
    for path in others {
        let other = key_file(path).and_then(|file| Some((file.path, file.public_key?)));
        if let Some((path, public_key)) = other
            && public_key != key.public_key()
        {
            tracing::warn!(
                "{} is used, and {} has the other key {public_key}",
                used.display(),
                path.display()
            );
        }
    }
}

/// Returns the path in an environment variable. An empty variable counts as not set.
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// Returns the key files in a directory, sorted by name. A directory that does not exist has none.
fn files(directory: &Path) -> Result<Vec<KeyFile>, Error> {
    let read_error = |source| Error::read(directory, source);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read_error(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(read_error)?.path();
        if path.extension().is_some_and(|extension| extension == "nk") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().filter_map(key_file).collect())
}

/// Returns the key file at a path. `None` when its name is not UTF-8. A file that cannot be read has no public key.
fn key_file(path: PathBuf) -> Option<KeyFile> {
    let name = path.file_stem()?.to_str()?.to_owned();
    let public_key = KeyFile::read(&path).ok().and_then(|file| file.public_key);
    Some(KeyFile {
        name,
        path,
        public_key,
    })
}

#[cfg(test)]
#[path = "tests/directories.rs"]
mod tests;
