//! Hides seeds and passwords in messages.

use std::borrow::Cow;

use crate::oci::without_userinfo;

/// The text that replaces a seed in a message.
const HIDDEN: &str = "S…";

/// The shortest word, in characters, that is hidden because it looks like a seed. A complete seed has 58.
const SHORTEST: usize = 30;

/// Replaces seeds, and leaves out a user and a password that are written in front of a host.
pub(super) fn hide_secrets(text: &str) -> Cow<'_, str> {
    match hide_seeds(text) {
        Cow::Borrowed(text) => hide_passwords(text),
        Cow::Owned(text) => Cow::Owned(hide_passwords(&text).into_owned()),
    }
}

/// Leaves out users and passwords in front of hosts. Without this, the error about a URL in a wrong place would show the
/// password in the URL.
fn hide_passwords(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let ends_word = |character: char| character.is_whitespace() || "`'\"".contains(character);
    let words = text.split_inclusive(ends_word);
    let shown = words.map(|word| {
        let shown = without_userinfo(word).filter(|_| is_address(word));
        shown.map_or(Cow::Borrowed(word), Cow::Owned)
    });
    let shown: String = shown.collect();
    if shown == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(shown)
    }
}

/// Returns whether a word with an at sign is an address. An identity such as `mailto:me@example.com` and the URL of a
/// package such as `pkg:golang/example.com/a@v1.0/b` are not.
fn is_address(word: &str) -> bool {
    let (before, _) = word.split_once('@').unwrap_or_default();
    word.contains("://") || !before.contains('/') && !before.starts_with("mailto:")
}

/// Replaces words that look like a complete or a cut seed. Without this, the error about a seed in a wrong place, such
/// as the place of a path, would show the seed.
fn hide_seeds(text: &str) -> Cow<'_, str> {
    let is_in_word = |character: char| character.is_ascii_alphanumeric();
    let mut hidden = String::new();
    let mut shown = 0;
    let mut rest = text;
    while let Some(start) = rest.find(is_in_word) {
        let (_, from) = rest.split_at(start);
        let end = from.find(|c| !is_in_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        if is_seed(word) {
            let begin = text.len() - from.len();
            hidden.push_str(text.get(shown..begin).unwrap_or_default());
            hidden.push_str(HIDDEN);
            shown = text.len() - after.len();
        }
        rest = after;
    }
    if shown == 0 {
        return Cow::Borrowed(text);
    }
    hidden.push_str(text.get(shown..).unwrap_or_default());
    Cow::Owned(hidden)
}

/// Returns whether a word has the form of a seed: base32 in one case, beginning with an S. The public keys of accounts
/// and services begin with other letters.
fn is_seed(word: &str) -> bool {
    let upper = |c: u8| matches!(c, b'A'..=b'Z' | b'2'..=b'7');
    let lower = |c: u8| matches!(c, b'a'..=b'z' | b'2'..=b'7');
    word.len() >= SHORTEST
        && word.starts_with(['S', 's'])
        && (word.bytes().all(upper) || word.bytes().all(lower))
}

#[cfg(test)]
#[path = "tests/secrets.rs"]
mod tests;
