//! The known keys of `wasmcloud.toml`, and finding unknown ones.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of the top level. `component`, `tinygo`, `dev`, `composition`, `overrides` and `metadata` are for other
/// kinds of projects and other commands of `wash`.
const TOP: [&str; 20] = [
    "name",
    "version",
    "revision",
    "type",
    "language",
    "path",
    "wit",
    "wit_dir",
    "build",
    "build_dir",
    "component",
    "provider",
    "rust",
    "tinygo",
    "go",
    "dev",
    "composition",
    "overrides",
    "metadata",
    "registry",
];

/// The keys of the tables that `par build` reads. `wash` does not know `targets` and `config_schema`.
const TABLES: [(&str, &[&str]); 4] = [
    (
        "provider",
        &[
            "vendor",
            "wit_world",
            "os",
            "arch",
            "rust_target",
            "bin_name",
            "key_directory",
            "targets",
            "config_schema",
        ],
    ),
    ("rust", &["cargo_path", "target_path", "debug"]),
    ("go", &["go_path", "disable_go_generate"]),
    ("registry", &["url", "credentials", "push_insecure", "pull"]),
];

/// An unknown key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownKey {
    /// Where the key begins in the text, in bytes.
    pub(super) start: usize,
    /// The key with its table, such as `provider.vender`.
    pub(super) name: String,
    /// A known key of the same table that is spelled almost alike.
    pub(super) similar: Option<&'static str>,
}

/// Returns the unknown keys in the order of the text.
pub(super) fn unknown_keys(document: &DeTable<'_>) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    collect(document, "", &TOP, &mut found);
    for (name, known) in TABLES {
        if let Some(DeValue::Table(table)) = document.get(name).map(Spanned::get_ref) {
            collect(table, &format!("{name}."), known, &mut found);
        }
    }
    found.sort_by_key(|key| key.start);
    found
}

fn collect(table: &DeTable<'_>, prefix: &str, known: &[&'static str], found: &mut Vec<UnknownKey>) {
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            found.push(UnknownKey {
                start: key.span().start,
                name: format!("{prefix}{name}"),
                similar: known.iter().copied().find(|known| is_similar(known, name)),
            });
        }
    }
}

/// Whether two names differ only in case, hyphens and one letter.
fn is_similar(known: &str, name: &str) -> bool {
    let plain = |text: &str| -> Vec<char> {
        let letters = text.chars().filter(|letter| letter.is_ascii_alphanumeric());
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let (known, name) = (plain(known), plain(name));
    let same = |(one, other): &(&char, &char)| one == other;
    let start = known.iter().zip(&name).take_while(same).count();
    let rest = known.len().min(name.len()) - start;
    let end = known.iter().rev().zip(name.iter().rev()).take(rest);
    let end = end.take_while(same).count();
    known.len().max(name.len()) - start - end <= 1
}

#[cfg(test)]
#[path = "tests/project_keys.rs"]
mod tests;
