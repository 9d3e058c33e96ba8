//! The directories that hold keys, where `wash` keeps them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::archive::error::Error;
use crate::content::{AtomicFile, create_private_directory, home, is_absent, user_directory};

use super::key::Key;
use super::kind::KeyKind;
use super::seed::{KeyOrigin, read_seed, read_seed_or_file, read_text};

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

/// The directories that hold keys, in the order in which they are searched. New keys go to the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyDirectories(Vec<PathBuf>);

impl KeyDirectories {
    /// Returns the directories that `wash` uses: `explicit`, the environment variable `WASH_KEYS`,
    /// `~/.wash/keys`, and `wash/keys` in the XDG data directory.
    #[must_use]
    pub(crate) fn discover(explicit: Option<&Path>) -> Self {
        let mut directories: Vec<PathBuf> = explicit.map(Path::to_owned).into_iter().collect();
        let environment = std::env::var_os("WASH_KEYS").filter(|value| !value.is_empty());
        directories.extend(environment.map(PathBuf::from));
        if let Some(home) = home() {
            directories.push(home.join(".wash").join("keys"));
        }
        if let Some(data) = user_directory("XDG_DATA_HOME", ".local/share") {
            directories.push(data.join("wash").join("keys"));
        }
        directories.dedup();
        Self(directories)
    }

    /// Returns the directories.
    #[must_use]
    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.0
    }

    /// Returns the key that `given` names, a seed or the path of a file that holds one. Without `given`,
    /// it is the key in the file `default_name`. When there is no such file and `generate` is set, it is
    /// a new key, which is written to that file.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchKey`], [`Error::MalformedSeed`], [`Error::WrongSeedType`], [`Error::Read`], or
    /// those of [`create`](Self::create).
    pub(crate) fn resolve(
        &self,
        given: Option<&str>,
        default_name: &str,
        kind: KeyKind,
        generate: bool,
    ) -> Result<(Key, KeyOrigin), Error> {
        if let Some(given) = given {
            return read_seed_or_file(given, kind);
        }
        if let Some(found) = self.find_file(default_name, kind)? {
            return Ok(found);
        }
        if !generate {
            return Err(Error::NoSuchKey {
                kind: kind.name(),
                name: default_name.to_owned(),
                directories: self.0.clone(),
            });
        }
        let key = Key::generate(kind);
        match self.create(default_name, &key) {
            Ok(path) => Ok((key, KeyOrigin::Generated(path))),
            // Another process has created it meanwhile. Both use that key.
            Err(Error::Write { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                self.find_file(default_name, kind)?
                    .ok_or_else(|| Error::Write {
                        path: default_name.into(),
                        source,
                    })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the key in the first file of this name. A file that cannot be read is an error, because
    /// another key would make another publisher.
    fn find_file(&self, name: &str, kind: KeyKind) -> Result<Option<(Key, KeyOrigin)>, Error> {
        for directory in &self.0 {
            let path = directory.join(name);
            match fs::symlink_metadata(&path) {
                Ok(_) => return Ok(Some((read_seed(&path, kind)?, KeyOrigin::File(path)))),
                Err(error) if is_absent(&error) => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        Ok(None)
    }

    /// Returns the key of `kind` whose public key is `public_key`, from any file in the directories.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchKey`] when no file holds it, or [`Error::Read`] when it may be in a directory that
    /// cannot be read.
    pub(crate) fn find(&self, public_key: &str, kind: KeyKind) -> Result<Key, Error> {
        let mut unreadable = None;
        for directory in &self.0 {
            match files(directory) {
                Ok(files) => {
                    let mut files = files.into_iter();
                    let found = files.find(|file| file.public_key.as_deref() == Some(public_key));
                    if let Some(file) = found {
                        return read_seed(&file.path, kind);
                    }
                }
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        Err(unreadable.unwrap_or_else(|| Error::NoSuchKey {
            kind: kind.name(),
            name: public_key.to_owned(),
            directories: self.0.clone(),
        }))
    }

    /// Writes a key to the file `name` in the first directory, which is created when it is missing. Only
    /// the owner can read the file. An existing file is not replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] when the file exists or cannot be written, [`Error::NoKeyDirectory`].
    pub(crate) fn create(&self, name: &str, key: &Key) -> Result<PathBuf, Error> {
        let directory = self.0.first().ok_or(Error::NoKeyDirectory)?;
        let path = directory.join(name);
        let seed = key.seed()?;
        create_private_directory(directory)
            .and_then(|()| {
                let mut file = AtomicFile::create_private(&path)?;
                file.write_all(seed.as_bytes())?;
                file.commit_new()
            })
            .map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })
    }

    /// Returns all key files, in the order of the directories and then of their names.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when a directory that exists cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<KeyFile>, Error> {
        let found = self.0.iter().map(|directory| files(directory));
        Ok(found.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Returns the key files in a directory, sorted by name. A directory that does not exist has none.
fn files(directory: &Path) -> Result<Vec<KeyFile>, Error> {
    let read_error = |source| Error::Read {
        path: directory.to_owned(),
        source,
    };
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

fn key_file(path: PathBuf) -> Option<KeyFile> {
    let name = path.file_stem()?.to_str()?.to_owned();
    let public_key = read_text(&path)
        .ok()
        .and_then(|text| Key::from_seed(&text).ok())
        .map(|key| key.public_key());
    Some(KeyFile {
        name,
        path,
        public_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories() -> (tempfile::TempDir, KeyDirectories) {
        let directory = tempfile::tempdir().unwrap();
        let directories = KeyDirectories(vec![
            directory.path().join("first"),
            directory.path().join("second"),
        ]);
        (directory, directories)
    }

    #[test]
    fn a_new_key_is_found_again_and_is_private() {
        let (_directory, directories) = directories();
        let (key, origin) = directories
            .resolve(None, "dev_account.nk", KeyKind::Account, true)
            .unwrap();
        let KeyOrigin::Generated(path) = origin else {
            panic!("{origin:?}");
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
        let (again, origin) = directories
            .resolve(None, "dev_account.nk", KeyKind::Account, false)
            .unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(origin, KeyOrigin::File(path));
        assert!(
            directories
                .find(&key.public_key(), KeyKind::Account)
                .is_ok()
        );
    }

    #[test]
    fn later_directories_are_searched_and_line_ends_do_not_matter() {
        let (directory, directories) = directories();
        let key = Key::generate(KeyKind::Service);
        fs::create_dir(directory.path().join("second")).unwrap();
        fs::write(
            directory.path().join("second/app_service.nk"),
            format!("{}\n", key.seed().unwrap()),
        )
        .unwrap();
        let (found, _) = directories
            .resolve(None, "app_service.nk", KeyKind::Service, false)
            .unwrap();
        assert_eq!(found.public_key(), key.public_key());
    }

    #[test]
    fn threads_that_need_a_new_key_get_the_same_key() {
        let (_directory, directories) = directories();
        let resolve = || {
            let (key, _) = directories
                .resolve(None, "dev_account.nk", KeyKind::Account, true)
                .unwrap();
            key.public_key()
        };
        let keys: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(resolve)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced_by_a_new_one() {
        let (directory, directories) = directories();
        let key = Key::generate(KeyKind::Account);
        directories.create("dev_account.nk", &key).unwrap();
        fs::create_dir(directory.path().join("second")).unwrap();
        let away = directory.path().join("second/app_service.nk");
        std::os::unix::fs::symlink("unplugged", away).unwrap();
        let error = directories
            .resolve(None, "app_service.nk", KeyKind::Service, true)
            .unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error:?}");
        assert!(!directory.path().join("first/app_service.nk").exists());

        // A key in an earlier directory is found although a later one cannot be read.
        let unreadable = KeyDirectories(vec![
            directory.path().join("first"),
            directory.path().join("first/dev_account.nk"),
        ]);
        let account = KeyKind::Account;
        assert!(unreadable.find(&key.public_key(), account).is_ok());
        let other = Key::generate(account).public_key();
        let error = unreadable.find(&other, account).unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error:?}");
    }

    #[test]
    fn a_key_is_given_as_a_seed_or_as_a_path() {
        let (directory, directories) = directories();
        let key = Key::generate(KeyKind::Account);
        let seed = key.seed().unwrap();
        let path = directory.path().join("my.nk");
        fs::write(&path, &seed).unwrap();
        for given in [seed.as_str(), path.to_str().unwrap()] {
            let (found, _) = directories
                .resolve(Some(given), "unused", KeyKind::Account, false)
                .unwrap();
            assert_eq!(found.public_key(), key.public_key());
        }
    }

    #[test]
    fn an_existing_key_is_never_replaced() {
        let (_directory, directories) = directories();
        let key = Key::generate(KeyKind::Account);
        directories.create("dev_account.nk", &key).unwrap();
        let error = directories.create("dev_account.nk", &Key::generate(KeyKind::Account));
        assert!(matches!(error, Err(Error::Write { .. })), "{error:?}");
        assert!(
            directories
                .find(&key.public_key(), KeyKind::Account)
                .is_ok()
        );
    }

    #[test]
    fn a_seed_is_never_part_of_an_error() {
        let (_directory, directories) = directories();
        let mut seed = Key::generate(KeyKind::Account).seed().unwrap();
        let wrong_type = directories
            .resolve(Some(&seed), "unused", KeyKind::Service, false)
            .unwrap_err();
        assert!(matches!(wrong_type, Error::WrongSeedType { .. }));
        assert!(!format!("{wrong_type:?} {wrong_type}").contains(&seed));
        seed.replace_range(20..24, "AAAA");
        let malformed = directories
            .resolve(Some(&seed), "unused", KeyKind::Account, false)
            .unwrap_err();
        assert!(!format!("{malformed:?} {malformed}").contains(&seed[..20]));
    }
}
