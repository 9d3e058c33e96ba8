//! The order of tags, and which tags are versions.

use std::cmp::Ordering;

use crate::content::Digest;

/// Returns whether a tag is the name of a digest, with or without a suffix (OCI distribution specification,
/// "Referrers Tag Schema", and cosign's `.sig`, `.att` and `.sbom`).
pub(crate) fn is_digest_tag(tag: &str) -> bool {
    let name = tag.split('.').next().unwrap_or_default();
    name.replacen('-', ":", 1).parse::<Digest>().is_ok()
}

/// Compares two tags for sorting. Tags that are not versions come first, sorted by the alphabet, and by value where
/// they have numbers. Versions follow. A version is numbers with points, perhaps after a `v`. A suffix after a hyphen
/// or a letter makes it a pre-release, which is older. A suffix after `_` makes it a build, which is newer: a tag
/// cannot have the `+` of semantic versions, and tools write `_` instead.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let versions = (version(one), version(other));
    let named = versions.0.cmp(&versions.1);
    let named = named.then_with(|| parts(one).cmp(parts(other)));
    named.then_with(|| one.cmp(other))
}

/// The numbers of a version, whether it is a release, and the parts of the suffix after the numbers.
type Version<'a> = (Vec<u64>, bool, Vec<(Option<u64>, &'a str)>);

fn version(tag: &str) -> Option<Version<'_>> {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    let end = text
        .find(|character| !is_number(character))
        .unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let numbers = numbers.trim_end_matches('.').split('.').map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    let is_release = rest.is_empty() || rest.starts_with('_');
    let parts = rest.split(['-', '.', '_']).filter(|part| !part.is_empty());
    let parts = parts.map(|part| (part.parse().ok(), part)).collect();
    Some((numbers, is_release, parts))
}

/// Whether a tag is a version.
pub(crate) fn is_version(tag: &str) -> bool {
    version(tag).is_some()
}

/// Returns the parts of a tag: numbers, with their values, and the texts between them.
fn parts(tag: &str) -> impl Iterator<Item = (Option<u64>, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let begins_with_digit = rest.starts_with(|first: char| first.is_ascii_digit());
        let end = rest.find(|next: char| next.is_ascii_digit() != begins_with_digit);
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind;
        (!part.is_empty()).then(|| (part.parse().ok(), part))
    })
}

#[cfg(test)]
#[path = "tests/versions.rs"]
mod tests;
