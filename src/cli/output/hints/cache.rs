//! Hints for errors of the cache.

use crate::cache::Error;
use crate::content::ErrorKind;

/// Returns what the user can do about an error of the cache.
pub(crate) fn cache_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::WithinCache(path) => {
            let directory = path.parent().unwrap_or(path);
            return Some(format!(
                "name the directory that it is in: {}",
                directory.display()
            ));
        }
        Error::DamagedIdentity { place, .. } => {
            return Some(format!(
                "restore the file, or run `par trust forget {place}`: the next fetch pins the repository \
                 again"
            ));
        }
        Error::ForeignDirectory(_) => {
            "name a directory of your own with --cache-dir or PAR_CACHE_DIR"
        }
        Error::SharedDirectory(_) => {
            "take that permission away from others (chmod go-w), or name another directory with \
             --cache-dir or PAR_CACHE_DIR"
        }
        Error::NoDirectory | Error::NotADirectory(_) => {
            "name a directory with --cache-dir or PAR_CACHE_DIR"
        }
        error if error.is_full() => {
            "make room, with `par cache prune` for example, or name another directory with --cache-dir"
        }
        Error::Directory { .. } => "name another directory with --cache-dir or PAR_CACHE_DIR",
        Error::File { source, .. } if ErrorKind::of_io(source) == ErrorKind::Denied => {
            "name another directory with --cache-dir or PAR_CACHE_DIR"
        }
        Error::Receive { .. } => "try again: the download continues where it stopped",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_directory_of_the_cache_is_named_for_one_within_it() {
        let within = Error::WithinCache(PathBuf::from("/cache/v1/blobs"));
        let hint = cache_hint(&within).unwrap();
        assert!(hint.ends_with(": /cache/v1"), "{hint}");
    }

    #[test]
    fn a_damaged_pin_names_the_repository_to_forget() {
        let damaged = Error::DamagedIdentity {
            place: "ghcr.io/org/provider".to_owned(),
            path: Path::new("/cache/pin").to_owned(),
        };
        let hint = cache_hint(&damaged).unwrap();
        assert!(
            hint.contains("`par trust forget ghcr.io/org/provider`"),
            "{hint}"
        );
    }
}
