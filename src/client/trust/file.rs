//! The file of a trust policy. `docs/trust.md` describes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use serde::Deserialize;
use toml::Spanned;

use crate::content::{directory_of, link_to_nothing, user_directory};

use super::super::toml_problem::{Problem, read_text};
use super::identities::{self, IdentityTable};
use super::{Pinning, Rule, Stale, TrustError, TrustPolicy};

/// The largest file that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    pin: Pinning,
    #[serde(default)]
    default: Default,
    #[serde(default)]
    rule: Vec<Table>,
    revoked: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    audit: bool,
    #[serde(default)]
    stale: Stale,
}

/// The decision about references that no rule matches.
#[derive(std::default::Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Default {
    #[default]
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    #[serde(rename = "match")]
    pattern: Spanned<String>,
    issuers: Option<Spanned<Vec<Spanned<String>>>>,
    subjects: Option<Spanned<Vec<Spanned<String>>>>,
    min_revision: Option<i32>,
    pin: Option<Pinning>,
    audit: Option<bool>,
    stale: Option<Stale>,
    identity: Option<Spanned<Vec<IdentityTable>>>,
}

impl TrustPolicy {
    /// Reads a policy from a file. `docs/trust.md` describes the file. Blocks.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when the file cannot be read, is larger than 1 MiB, or has unknown content.
    pub fn read(path: &Path) -> Result<Self, TrustError> {
        let text = File::open(path).and_then(|file| read_text(file, LIMIT));
        let text = text.map_err(|source| {
            let path = path.to_owned();
            TrustError::File { path, source }
        })?;
        let directory = directory_of(path);
        parse(&text, directory).map_err(|problem| {
            let (line, column) = problem.position(&text);
            TrustError::Malformed {
                path: path.to_owned(),
                line,
                column,
                reason: problem.reason,
            }
        })
    }

    /// Reads the policy of the user: the file at [`path_of_user`](Self::path_of_user). Without that file, returns
    /// the default policy. Blocks.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn of_user() -> Result<Self, TrustError> {
        let Some(path) = Self::path_of_user() else {
            return Ok(Self::default());
        };
        // Only an absent file means the default policy. A link to nothing is an error, as is every other failure.
        match path.symlink_metadata() {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && link_to_nothing(&path).is_none() =>
            {
                Ok(Self::default())
            }
            _ => Self::read(&path),
        }
    }

    /// Returns the path of the user's policy: `wasmcloud-par/trust.toml` in `$XDG_CONFIG_HOME` or `~/.config`.
    /// `None`: neither directory is known.
    #[must_use]
    pub fn path_of_user() -> Option<PathBuf> {
        let directory = user_directory("XDG_CONFIG_HOME", ".config")?;
        Some(directory.join("wasmcloud-par/trust.toml"))
    }
}

/// Parses a policy. Relative paths in it are relative to `directory`, the directory of its file.
fn parse(text: &str, directory: &Path) -> Result<TrustPolicy, Problem> {
    let document: Document = toml::from_str(text)?;
    let rules = document.rule.into_iter();
    let rules: Result<_, _> = rules.map(|table| rule(table, directory)).collect();
    Ok(TrustPolicy {
        pinning: document.pin,
        deny_others: document.default == Default::Deny,
        rules: rules?,
        // Here an empty list is allowed: it revokes nobody.
        revoked: match document.revoked {
            Some(list) if list.get_ref().is_empty() => Vec::new(),
            list => keys(list, KeyPairType::Account)?,
        },
        audit: document.audit,
        stale: document.stale,
        ..TrustPolicy::default()
    })
}

fn rule(table: Table, directory: &Path) -> Result<Rule, Problem> {
    let pattern = table.pattern.get_ref().parse();
    Ok(Rule {
        pattern: pattern.map_err(|error: super::ParsePatternError| {
            Problem::at(&table.pattern, error.to_string())
        })?,
        issuers: keys(table.issuers, KeyPairType::Account)?,
        subjects: keys(table.subjects, KeyPairType::Service)?,
        minimum_revision: table.min_revision,
        pinning: table.pin,
        audit: table.audit,
        stale: table.stale,
        identities: match table.identity {
            Some(tables) => identities::read(tables, directory)?,
            None => Vec::new(),
        },
    })
}

/// Returns the public keys in a list, which must be of this kind. The error does not quote a wrong key, because it
/// may be a seed.
fn keys(
    list: Option<Spanned<Vec<Spanned<String>>>>,
    kind: KeyPairType,
) -> Result<Vec<String>, Problem> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    if list.get_ref().is_empty() {
        let reason = "an empty list allows no key: leave it out to allow any";
        return Err(Problem::at(&list, reason));
    }
    let expected = match kind {
        KeyPairType::Account => "this is not the public key of an account (A…, 56 characters)",
        _ => "this is not the public key of a service (V…, 56 characters)",
    };
    let keys =
        list.into_inner()
            .into_iter()
            .map(|key| match KeyPair::from_public_key(key.get_ref()) {
                Ok(pair) if pair.key_pair_type() == kind => Ok(key.into_inner()),
                _ => Err(Problem::at(&key, expected)),
            });
    keys.collect()
}

#[cfg(test)]
#[path = "tests/file.rs"]
mod tests;
