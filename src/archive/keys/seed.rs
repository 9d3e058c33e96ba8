//! Reading seeds from files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::archive::error::Error;
use crate::content::open_regular;

use super::key::Key;
use super::kind::KeyKind;

/// How many bytes of a file are read. A seed has 58 characters.
const LONGEST_SEED_FILE: u64 = 1024;

/// Returns the key that `text` names: a seed, or the path of a file that holds one. A text that looks like a
/// seed is not used as a path, because an error message would show it.
pub(super) fn read_seed_or_file(text: &str, kind: KeyKind) -> Result<(Key, KeyOrigin), Error> {
    let seed = text.trim();
    if may_be_seed(seed) && !Path::new(seed).exists() {
        let key = Key::parse(seed, kind, || format!("the given {kind} key"))?;
        return Ok((key, KeyOrigin::Given));
    }
    let path = PathBuf::from(text);
    Ok((read_seed(&path, kind)?, KeyOrigin::File(path)))
}

/// Returns whether `text` is a seed, or one that was cut, quoted or mistyped.
fn may_be_seed(text: &str) -> bool {
    let text = text.trim_start_matches(|character: char| !character.is_ascii_alphanumeric());
    text.starts_with(['S', 's']) && text.len() > 20 && !text.contains(['/', '\\', '.'])
}

pub(super) fn read_seed(path: &Path, kind: KeyKind) -> Result<Key, Error> {
    let text = read_text(path).map_err(|source| Error::read(path, source))?;
    Key::parse(text.trim(), kind, || path.display().to_string())
}

pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let (file, _) = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_SEED_FILE).read_to_end(&mut bytes)?;
    // A file that is not UTF-8 holds no seed, and parsing it says so.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum KeyOrigin {
    /// The caller gave the seed itself.
    Given,
    /// The seed was read from a file.
    File(PathBuf),
    /// The key was generated and its seed written to a file.
    Generated(PathBuf),
}
