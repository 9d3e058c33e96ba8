//! Remembering the name of the provider that each service key has signed last, so that `par` can warn when two
//! providers share a key.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::archive::Subject;
use crate::content::{AtomicFile, create_private_directory, read_file_bounded, user_directory};

/// How many bytes of a name are read.
const LONGEST: u64 = 4096;

/// Returns the name that an archive of `subject` had when this user last packed one.
pub(crate) fn last(subject: &Subject) -> Option<String> {
    let path = directory()?.join(subject.as_str());
    String::from_utf8(read_file_bounded(&path, LONGEST).ok()?).ok()
}

/// Notes the name of an archive of `subject`. After a failure, only the next warning is missing.
pub(crate) fn note(subject: &Subject, name: &str) {
    if let Err(error) = write(subject, name) {
        tracing::debug!(%error, "the name of {} is not noted", subject.as_str());
    }
}

fn write(subject: &Subject, name: &str) -> io::Result<()> {
    let directory = directory().ok_or(io::ErrorKind::NotFound)?;
    create_private_directory(&directory)?;
    let mut file = AtomicFile::create_private(&directory.join(subject.as_str()))?;
    file.write_all(name.as_bytes())?;
    file.commit().map(drop)
}

fn directory() -> Option<PathBuf> {
    let state = user_directory("XDG_STATE_HOME", ".local/state")?;
    Some(state.join("wasmcloud-par").join("signed-names"))
}
