//! The file of a trust policy. `docs/trust.md` describes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use serde::Deserialize;
use toml::Spanned;

use crate::content::user_folder;

use super::super::toml_problem::Problem;
use super::{Pinning, Rule, TrustError, TrustPolicy};

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
}

/// Whether references that no rule fits are allowed.
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
}

impl TrustPolicy {
    /// Reads a policy from a file. `docs/trust.md` describes the file. Blocks.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when the file cannot be read, is larger than 1 MiB, or has unknown content.
    pub fn read(path: &Path) -> Result<Self, TrustError> {
        let text = read(path).map_err(TrustError::file(path))?;
        parse(&text).map_err(|problem| {
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
        // A dangling link is an error, and so is everything but an absent file.
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            _ => Self::read(&path),
        }
    }

    /// Returns the path of the user's policy: `wasmcloud-par/trust.toml` in `$XDG_CONFIG_HOME` or `~/.config`.
    /// `None`: neither directory is known.
    #[must_use]
    pub fn path_of_user() -> Option<PathBuf> {
        let folder = user_folder("XDG_CONFIG_HOME", ".config")?;
        Some(folder.join("wasmcloud-par/trust.toml"))
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(LIMIT + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        let reason = format!("the file has more than {LIMIT} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<TrustPolicy, Problem> {
    let document: Document = toml::from_str(text)?;
    let rules: Result<_, _> = document.rule.into_iter().map(rule).collect();
    Ok(TrustPolicy {
        pinning: document.pin,
        deny_others: document.default == Default::Deny,
        rules: rules?,
        ..TrustPolicy::default()
    })
}

fn rule(table: Table) -> Result<Rule, Problem> {
    let pattern = table.pattern.get_ref().parse();
    Ok(Rule {
        pattern: pattern.map_err(|error: super::ParsePatternError| {
            Problem::at(&table.pattern, error.to_string())
        })?,
        issuers: keys(table.issuers, KeyPairType::Account)?,
        subjects: keys(table.subjects, KeyPairType::Service)?,
        minimum_revision: table.min_revision,
        pinning: table.pin,
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
    let keys = list.into_inner().into_iter().map(|key| {
        let right =
            KeyPair::from_public_key(key.get_ref()).is_ok_and(|pair| pair.key_pair_type() == kind);
        if right {
            Ok(key.into_inner())
        } else {
            Err(Problem::at(&key, expected))
        }
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> TrustPolicy {
        let parsed = parse(text);
        parsed.unwrap_or_else(|problem| panic!("{text}: {}", problem.reason))
    }

    fn problem(text: &str) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trust.toml");
        std::fs::write(&path, text).unwrap();
        let error = TrustPolicy::read(&path).unwrap_err();
        assert_eq!(error.kind(), crate::content::ErrorKind::Usage);
        let said = error.to_string();
        let (_, said) = said.split_once("trust.toml, ").unwrap();
        let (place, reason) = said.split_once(": ").unwrap();
        (place.to_owned(), reason.to_owned())
    }

    #[test]
    fn a_policy_has_the_values_of_the_file_and_else_the_defaults() {
        assert_eq!(policy(""), TrustPolicy::default());
        let subject = KeyPair::new_service().public_key();
        let issuer = KeyPair::new_account().public_key();
        let full = policy(&format!(
            r#"
            pin = "required"
            default = "deny"
            [[rule]]
            match = "ghcr.io/org/*"
            issuers = ["{issuer}"]
            subjects = ["{subject}"]
            min-revision = 3
            pin = "off"
            [[rule]]
            match = "*"
            "#
        ));
        assert_eq!(full.pinning, Pinning::Required);
        assert!(full.deny_others);
        let [first, second] = full.rules.as_slice() else {
            panic!("{full:?}");
        };
        assert_eq!(first.pattern.to_string(), "ghcr.io/org/*");
        assert_eq!(
            (&first.issuers, &first.subjects),
            (&vec![issuer], &vec![subject])
        );
        assert_eq!(first.minimum_revision, Some(3));
        assert_eq!(first.pinning, Some(Pinning::Off));
        assert!(second.issuers.is_empty() && second.subjects.is_empty());
        assert_eq!((second.minimum_revision, second.pinning), (None, None));
    }

    #[test]
    fn the_example_in_the_documentation_is_a_policy() {
        let page = include_str!("../../../docs/trust.md");
        let (_, example) = page.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let example = policy(example);
        assert!(example.deny_others);
        assert_eq!(example.rules.len(), 3);
        assert_eq!(example.rules[1].minimum_revision, Some(3));
    }

    #[test]
    fn a_malformed_policy_is_reported_with_line_and_column() {
        let seed = KeyPair::new_account().seed().unwrap();
        let account = KeyPair::new_account().public_key();
        let service = KeyPair::new_service().public_key();
        for (text, place, reason) in [
            ("pinn = \"off\"", "line 1, column 1", "unknown field `pinn`"),
            ("\npin = \"never\"", "line 2, column 7", "unknown variant"),
            ("default = 1", "line 1, column 11", "wanted string"),
            (
                "[[rule]]\nissuers = []",
                "line 1, column 1",
                "missing field `match`",
            ),
            (
                "[[rule]]\nmatch = \"org/*\"",
                "line 2, column 9",
                "begins with a registry",
            ),
            (
                "[[rule]]\nmatch = \"*\"\nissuer = [\"A\"]",
                "line 3, column 1",
                "unknown field `issuer`",
            ),
            (
                "[[rule]]\nmatch = \"*\"\nmin-revision = 3000000000",
                "line 3, column 16",
                "invalid value",
            ),
            (
                "[[rule]]\nmatch = \"*\"\nissuers = []",
                "line 3, column 11",
                "empty list",
            ),
            (
                &format!("[[rule]]\nmatch = \"*\"\nissuers = [\"{account}\", \"{seed}\"]"),
                "line 3, column",
                "public key of an account",
            ),
            (
                &format!("[[rule]]\nmatch = \"*\"\nissuers = [ \"{service}\"]"),
                "line 3, column 13",
                "public key of an account",
            ),
            (
                &format!("[[rule]]\nmatch = \"*\" # ü\nsubjects = [\"{account}\"]"),
                "line 3, column 13",
                "public key of a service",
            ),
            ("pin = ", "line 1, column", ""),
        ] {
            let (found, said) = problem(text);
            assert!(found.starts_with(place), "{text}: {found}: {said}");
            assert!(said.contains(reason), "{text}: {said}");
            assert!(!said.contains(&seed));
        }
    }

    #[test]
    fn a_file_that_is_not_text_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trust.toml");
        for bytes in [vec![0xff], vec![b' '; LIMIT as usize + 1]] {
            std::fs::write(&path, bytes).unwrap();
            let error = TrustPolicy::read(&path).unwrap_err();
            assert!(error.to_string().contains("trust.toml"), "{error}");
        }
    }
}
