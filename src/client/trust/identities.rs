//! The Sigstore identities in the file of a trust policy.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::super::sigstore::{SigstoreRoot, SigstoreRule};
use super::super::toml_problem::Problem;

/// A table `[[rule.identity]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityTable {
    issuer: Spanned<String>,
    subject: Spanned<String>,
    predicate: Option<Spanned<String>>,
    root: Option<Spanned<String>>,
}

/// Returns the identities in a policy. Relative paths of roots are relative to `directory`, the directory of its file.
pub(super) fn read(
    tables: Spanned<Vec<IdentityTable>>,
    directory: &Path,
) -> Result<Vec<SigstoreRule>, Problem> {
    if cfg!(not(feature = "sigstore")) {
        let reason =
            "this program is built without the feature `sigstore`, so it cannot verify identities";
        return Err(Problem::at(&tables, reason));
    }
    if tables.get_ref().is_empty() {
        let reason = "an empty list allows no identity: leave it out to demand none";
        return Err(Problem::at(&tables, reason));
    }
    let tables = tables.into_inner().into_iter();
    tables.map(|table| identity(table, directory)).collect()
}

fn identity(table: IdentityTable, directory: &Path) -> Result<SigstoreRule, Problem> {
    let issuer = table.issuer.get_ref();
    if !issuer.starts_with("https://") && !issuer.starts_with("http://") {
        let reason = "an issuer is the URL of an OpenID Connect issuer, such as \
                      https://token.actions.githubusercontent.com";
        return Err(Problem::at(&table.issuer, reason));
    }
    if issuer.contains('*') {
        let reason = "an issuer is a whole URL: `*` is for subjects";
        return Err(Problem::at(&table.issuer, reason));
    }
    if table.subject.get_ref().is_empty() {
        return Err(Problem::at(
            &table.subject,
            "no certificate has an empty subject",
        ));
    }
    if let Some(predicate) = table.predicate.as_ref()
        && (predicate.get_ref().is_empty() || predicate.get_ref().contains('*'))
    {
        let reason =
            "a predicate is the type of a statement, such as https://slsa.dev/provenance/v1";
        return Err(Problem::at(predicate, reason));
    }
    let mut rule = SigstoreRule::new(issuer.as_str(), table.subject.get_ref().as_str());
    rule.predicate = table.predicate.map(Spanned::into_inner);
    rule.root = match table.root {
        None => SigstoreRoot::Public,
        Some(root) => match root.get_ref().as_str() {
            "public" => SigstoreRoot::Public,
            "github" => SigstoreRoot::GitHub,
            // Files must end in `.json`, so that a misspelled `public` or `github` is an error and not a path.
            path if path.ends_with(".json") => SigstoreRoot::File(directory.join(path)),
            _ => {
                let reason =
                    "a root is `public`, `github`, or the path of a file that ends in `.json`";
                return Err(Problem::at(&root, reason));
            }
        },
    };
    Ok(rule)
}

#[cfg(all(test, feature = "sigstore"))]
#[path = "tests/identities.rs"]
mod tests;
