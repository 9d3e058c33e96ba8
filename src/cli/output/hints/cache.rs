//! Hints for errors of the cache.

use crate::cache::Error;
use crate::content::ErrorKind;

/// The hint for pins that cannot be written.
const STATE: &str = "name a directory of your own for the pins with --state-dir or PAR_STATE_DIR; where none is kept, \
                     list the issuers in a trust policy with `pin = \"off\"`";

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
        Error::DamagedPin { place, .. } => {
            return Some(format!(
                "restore the file, or run `par trust forget {place}`: the next fetch pins the repository \
                 again"
            ));
        }
        Error::ForeignDirectory(_) => {
            "name a directory of your own with --cache-dir or PAR_CACHE_DIR"
        }
        Error::SharedDirectory(_) => {
            "remove that permission of other users (chmod go-w), or name another directory with \
             --cache-dir or PAR_CACHE_DIR"
        }
        Error::NoStateDirectory | Error::ForeignState(_) => STATE,
        Error::SharedState(_) => {
            "remove that permission of other users (chmod go-w), or name another directory with \
             --state-dir or PAR_STATE_DIR"
        }
        Error::OtherPins(_) => {
            "compare them with `par trust list`; to replace the pins of this machine, give --replace"
        }
        Error::NoExecutable(_) => "fetch it again",
        Error::NotAnExecutable(_) => {
            "name a path that `par fetch` has printed, or a process that was started from it; --cache-dir or \
             PAR_CACHE_DIR name the cache"
        }
        Error::NoDirectory | Error::NotADirectory(_) => {
            "name a directory with --cache-dir or PAR_CACHE_DIR"
        }
        error @ (Error::StateDirectory { .. } | Error::StateFile { .. }) if error.is_full() => {
            "make room on its disk, or name another directory for the pins with --state-dir or PAR_STATE_DIR"
        }
        error if error.is_full() => {
            "make room, with `par cache prune` for example, or name another directory with --cache-dir"
        }
        Error::StateDirectory { .. } => STATE,
        Error::StateFile { source, .. } if ErrorKind::of_io(source) == ErrorKind::Denied => STATE,
        Error::Directory { .. } => "name another directory with --cache-dir or PAR_CACHE_DIR",
        Error::File { source, .. } if ErrorKind::of_io(source) == ErrorKind::Denied => {
            "name another directory with --cache-dir or PAR_CACHE_DIR"
        }
        Error::File { source, .. } if ErrorKind::of_io(source) == ErrorKind::Usage => {
            "run `par cache verify`, which removes what is in the place of a file"
        }
        error @ Error::Receive { .. } if error.kind() == ErrorKind::Unavailable => {
            "try again: the download continues where it stopped"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
#[path = "tests/cache.rs"]
mod tests;
