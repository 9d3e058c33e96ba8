//! Keys: the seeds that archives are signed with.

mod directories;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};

use crate::content::open_regular;

use super::error::Error;

pub use directories::{KeyDirectories, KeyFile};

/// A seed is 58 characters; a file that is much longer is none.
const LONGEST_SEED_FILE: u64 = 1024;

/// The two kinds of keys that an archive is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The issuer: who publishes. Public key `A…`, seed `SA…`.
    Account,
    /// The subject: which provider it is. Public key `V…`, seed `SV…`.
    Service,
}

impl KeyKind {
    /// The name, as in `{name}_account.nk`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Service => "service",
        }
    }

    /// The name of the file that `wash` keeps a key in: `{owner}_account.nk`, `{owner}_service.nk`.
    #[must_use]
    pub fn file_name(self, owner: &str) -> String {
        format!("{owner}_{}.nk", self.name())
    }

    /// A new key of this kind.
    #[must_use]
    pub fn generate(self) -> KeyPair {
        KeyPair::new(self.pair_type())
    }

    fn pair_type(self) -> KeyPairType {
        match self {
            Self::Account => KeyPairType::Account,
            Self::Service => KeyPairType::Service,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Account => "the seed of an account (SA…)",
            Self::Service => "the seed of a service (SV…)",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Where a key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The seed was given itself.
    Given,
    /// It was read from a file.
    File(PathBuf),
    /// It was made just now and written to a file.
    Generated(PathBuf),
}

/// An option that is a seed or a path. What looks like a seed is never taken for a path: the path
/// would end up in an error message.
fn read_option(option: &str, kind: KeyKind) -> Result<(KeyPair, KeyOrigin), Error> {
    let text = option.trim();
    if may_be_seed(text) && !Path::new(text).exists() {
        let key = parse_seed(text, kind, || format!("the {kind} option"))?;
        return Ok((key, KeyOrigin::Given));
    }
    let path = PathBuf::from(option);
    Ok((read_seed(&path, kind)?, KeyOrigin::File(path)))
}

/// Whether `text` is a seed, or one that was cut, quoted or mistyped.
fn may_be_seed(text: &str) -> bool {
    let text = text.trim_start_matches(|character: char| !character.is_ascii_alphanumeric());
    text.starts_with(['S', 's']) && text.len() > 20 && !text.contains(['/', '\\', '.'])
}

fn read_seed(path: &Path, kind: KeyKind) -> Result<KeyPair, Error> {
    let text = read_text(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    parse_seed(text.trim(), kind, || path.display().to_string())
}

fn read_text(path: &Path) -> io::Result<String> {
    let (file, _) = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_SEED_FILE).read_to_end(&mut bytes)?;
    // What is no text is no seed either, and gets the same answer.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse_seed(
    text: &str,
    kind: KeyKind,
    origin: impl FnOnce() -> String,
) -> Result<KeyPair, Error> {
    match KeyPair::from_seed(text) {
        Ok(key) if key.key_pair_type() == kind.pair_type() => Ok(key),
        Ok(_) => Err(Error::WrongSeedType {
            origin: origin(),
            expected: kind.description(),
        }),
        Err(source) => Err(Error::MalformedSeed {
            origin: origin(),
            source,
        }),
    }
}
