//! Reading seeds from files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::archive::error::Error;
use crate::content::open_regular;

use super::key::Key;
use super::kind::{KeyKind, owner, owner_of};
use super::public_key::Subject;

/// How many bytes of a file are read. A seed has 58 characters.
const LONGEST_SEED_FILE: u64 = 1024;

/// A key that the caller names: a seed, the path of a file that holds one, or `-` for standard input. Where the public
/// key is enough, it can be in the place of the seed.
#[derive(Clone, Copy)]
pub(crate) struct GivenKey<'a> {
    pub(crate) text: &'a str,
    /// The environment variable from which the text is, if it is from one. Such a text is a secret, even when it is a
    /// path.
    pub(crate) variable: Option<&'static str>,
}

impl GivenKey<'_> {
    /// Returns whether the key is read from standard input or from a pipe. Reading these may never end.
    pub(crate) fn is_stream(self) -> bool {
        self.text.trim() == "-" || is_pipe(Path::new(self.text))
    }

    /// Reads the seed. An error never contains a text that may be a seed.
    pub(crate) fn read(self, kind: KeyKind) -> Result<(Key, KeyOrigin), Error> {
        let Loaded {
            text,
            place,
            origin,
        } = self.load(kind, false)?;
        Ok((Key::parse(text.trim(), kind, || place)?, origin))
    }

    /// Reads the subject of an archive from its public key or from its seed. Only the public key is used.
    pub(crate) fn read_subject(self) -> Result<(Subject, KeyOrigin), Error> {
        let (subject, origin) = self.read_public_key(KeyKind::Service)?;
        Ok((subject.parse()?, origin))
    }

    /// Reads a public key of this kind, or the seed that belongs to it. Returns the public key.
    pub(crate) fn read_public_key(self, kind: KeyKind) -> Result<(String, KeyOrigin), Error> {
        let given = self.text.trim();
        if kind.has_public_key(given) {
            return Ok((given.to_owned(), KeyOrigin::Given));
        }
        let Loaded {
            text,
            place,
            origin,
        } = self.load(kind, true)?;
        let text = text.trim();
        if kind.has_public_key(text) {
            return Ok((text.to_owned(), origin));
        }
        if KeyKind::by_form(text) == Some(kind) {
            return Err(Error::MistypedPublicKey {
                origin: place,
                expected: kind.public_key_description(),
            });
        }
        if let Some(given) = owner_of(text) {
            return Err(Error::WrongPublicKey {
                origin: place,
                given,
                expected: owner(&kind.pair_type()),
            });
        }
        Ok((Key::parse(text, kind, || place)?.public_key(), origin))
    }

    /// Reads the text of the key from the place that the caller names. `takes_public_key` is for the error.
    fn load(self, kind: KeyKind, takes_public_key: bool) -> Result<Loaded, Error> {
        let text = self.text.trim();
        let origin = match self.variable {
            Some(variable) => variable.to_owned(),
            None => format!("the given {kind} key"),
        };
        if text == "-" {
            let seed = read_seed_text(io::stdin().lock());
            let seed = seed.map_err(|source| Error::NoSeed {
                origin,
                takes_public_key,
                source,
            })?;
            return Ok(Loaded {
                text: seed,
                place: "standard input".to_owned(),
                origin: KeyOrigin::Given,
            });
        }
        let path = Path::new(self.text);
        let is_secret = self.variable.is_some() || may_hold_seed(text);
        if (may_be_seed(text) || owner_of(text).is_some()) && !path.exists() {
            return Ok(Loaded {
                text: text.to_owned(),
                place: origin,
                origin: KeyOrigin::Given,
            });
        }
        let seed = if is_pipe(path) {
            File::open(path).and_then(read_seed_text)
        } else {
            read_text(path)
        };
        let text = seed.map_err(|source| {
            if is_secret {
                Error::NoSeed {
                    origin,
                    takes_public_key,
                    source,
                }
            } else {
                Error::read(path, source)
            }
        })?;
        let place = match self.variable {
            Some(variable) => format!("the file that {variable} names"),
            None => path.display().to_string(),
        };
        Ok(Loaded {
            text,
            place,
            origin: KeyOrigin::File(path.to_owned()),
        })
    }
}

/// Returns whether a path is that of a pipe, as the shell's `<(COMMAND)` is.
fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// A text that should be a seed or a public key. It may be a secret, so this type has no `Debug`.
struct Loaded {
    text: String,
    /// The place that the text is from, for error messages.
    place: String,
    origin: KeyOrigin,
}

/// Returns whether a word in `text` is long enough to be a seed in some encoding.
pub(crate) fn may_hold_seed(text: &str) -> bool {
    const SHORTEST: usize = 32;
    let is_encoding =
        |character: char| character.is_ascii_alphanumeric() || "+=".contains(character);
    let mut parts = text.split(|character| !is_encoding(character));
    parts.any(|part| part.len() >= SHORTEST)
}

/// Returns whether `text` looks like a seed, even if it is incomplete, in quotes or mistyped.
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
    read_seed_text(file)
}

/// Reads the text of a seed from a file or a pipe.
fn read_seed_text(input: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(LONGEST_SEED_FILE).read_to_end(&mut bytes)?;
    // A file that is not UTF-8 does not contain a seed. Parsing the text fails then.
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

impl KeyOrigin {
    /// Returns the file with the key.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Given => None,
            Self::File(path) | Self::Generated(path) => Some(path),
        }
    }
}
