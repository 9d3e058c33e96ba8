//! Keys that are given by their names, for `par keys`.
//!
//! The name of a key is that of its file, as `par keys list` prints it, or the name that was given to `par keys gen`.

use std::io;
use std::path::Path;

use anyhow::{Error, Result, bail};

use crate::archive::{self, GivenKey, KeyFile, KeyKind, may_hold_seed};
use crate::cli::arguments::{KeyDirectoryArgs, is_file_stem};
use crate::cli::output::{Failure, path_text};
use crate::content::ErrorKind;

/// Returns the file of the key with this name, of any kind, or else the file with this path.
pub(super) fn key_file(given: &str, arguments: &KeyDirectoryArgs) -> Result<KeyFile> {
    let path = Path::new(given);
    let is_path = given.contains(['/', '\\']);
    // A text that may be a seed is not repeated in an error, unless it is the path of a file.
    if is_path && (!may_hold_seed(given) || path.is_file()) {
        return Ok(KeyFile::read(path)?);
    }
    let directories = arguments.directories();
    let files = directories.named(given, &[KeyKind::Account, KeyKind::Service])?;
    let mut files = files.into_iter();
    match (files.next(), files.next()) {
        (Some(file), None) => {
            arguments.require_directory()?;
            directories.warn_if_elsewhere("key", given, &file.path);
            Ok(file)
        }
        (Some(one), Some(other)) => {
            let (one, other) = (one.name, other.name);
            let message = format!("`{given}` is the name of two keys, {one} and {other}");
            bail!(Failure::usage(message).hint("give the whole name of one of them"));
        }
        (None, _) if path.is_file() => Ok(KeyFile::read(path)?),
        (None, _) => Err(no_such_key(given, arguments)),
    }
}

/// Reads the key of this kind with this name, or else the key that the text itself gives. `read` reads it in both cases.
pub(super) fn read<T>(
    given: &str,
    kind: KeyKind,
    arguments: &KeyDirectoryArgs,
    read: impl FnOnce(GivenKey<'_>) -> Result<T, archive::Error>,
) -> Result<T> {
    let name = given.trim();
    let directories = arguments.directories();
    // A directory that cannot be read does not matter if the text gives a key itself.
    let named = directories.named(name, &[kind]);
    let file = named.as_ref().ok().and_then(|files| files.first());
    let path = match file {
        Some(file) => {
            arguments.require_directory()?;
            directories.warn_if_elsewhere(&format!("{kind} key"), name, &file.path);
            Some(path_text(&file.path))
        }
        None => None,
    };
    let key = read(GivenKey {
        text: path.as_deref().unwrap_or(given),
        variable: None,
    });
    match key {
        Err(archive::Error::Read { source, .. })
            if path.is_none() && source.kind() == io::ErrorKind::NotFound && is_file_stem(name) =>
        {
            named?;
            Err(no_such_key(name, arguments))
        }
        key => Ok(key?),
    }
}

/// Returns the error about a key that is in none of the directories for keys.
fn no_such_key(name: &str, arguments: &KeyDirectoryArgs) -> Error {
    if let Err(missing) = arguments.require_directory() {
        return missing;
    }
    let directories = arguments.directories();
    let searched = directories.directories().iter();
    let searched: Vec<String> = searched.map(|directory| path_text(directory)).collect();
    // A text that cannot be a name may be a seed, so it is not repeated.
    let key = if is_file_stem(name) && !may_hold_seed(name) {
        format!("key `{name}`")
    } else {
        "key of the given name".to_owned()
    };
    let message = format!("there is no {key} in {}", searched.join(", "));
    let failure = Failure::new(ErrorKind::NotFound, message);
    failure.hint("list the keys with `par keys list`").into()
}
