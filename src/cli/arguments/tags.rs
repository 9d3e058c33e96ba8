//! Choosing tags of a repository.

use std::str::FromStr;

use regex::Regex;

use crate::cli::versions::{compare, is_digest_tag, is_version};

/// A regular expression for tags.
#[derive(Debug, Clone)]
pub(crate) struct TagPattern(Regex);

impl TagPattern {
    pub(crate) fn matches(&self, tag: &str) -> bool {
        self.0.is_match(tag)
    }
}

impl FromStr for TagPattern {
    type Err = String;

    /// Parses a regular expression. An empty one is an error: it would match every tag, and the user may have named a variable
    /// that is not set.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(
                "it is empty, and would match every tag: write `.` if you mean that".to_owned(),
            );
        }
        Regex::new(text)
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// Returns the tags that `pattern` matches, or without a pattern the tags that are versions, sorted, the newest last.
/// Returns only the newest `most` of them. Tags that attach content to a digest are left out.
pub(crate) fn newest(
    tags: Vec<String>,
    pattern: Option<&TagPattern>,
    most: Option<usize>,
) -> Vec<String> {
    let is_chosen = |tag: &String| match pattern {
        Some(pattern) => pattern.matches(tag),
        None => is_version(tag),
    };
    let mut chosen: Vec<String> = tags
        .into_iter()
        .filter(|tag| !is_digest_tag(tag) && is_chosen(tag))
        .collect();
    chosen.sort_by(|one, other| compare(one, other));
    let surplus = chosen.len().saturating_sub(most.unwrap_or(usize::MAX));
    chosen.split_off(surplus)
}

#[cfg(test)]
#[path = "tests/tags.rs"]
mod tests;
