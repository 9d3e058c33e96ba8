//! Hides seeds and passwords in messages.

use std::borrow::Cow;

use crate::oci::without_userinfo;

/// The text that replaces a seed in a message.
const HIDDEN: &str = "S…";

/// What is in front of the first colon of words that have an at sign, and no password.
const OTHER_SCHEMES: [&str; 8] = [
    "mailto",
    "pkg",
    "file",
    "dir",
    "oci",
    "oci-layout",
    "oci-archive",
    "docker-archive",
];

/// The shortest word, in characters, that is hidden because it looks like a seed. A complete seed has 58.
const SHORTEST: usize = 30;

/// Replaces seeds, and leaves out a user and a password that are written in front of a host.
pub(crate) fn hide_secrets(text: &str) -> Cow<'_, str> {
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
    let shown = words.map(hide_password);
    let shown: String = shown.collect();
    if shown == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(shown)
    }
}

/// Leaves out the user and the password in one word.
fn hide_password(word: &str) -> Cow<'_, str> {
    let (beginning, address) = split_slashes(word);
    match without_userinfo(address) {
        Some(shown) if is_address(address) => Cow::Owned(format!("{beginning}{shown}")),
        _ => Cow::Borrowed(word),
    }
}

/// Splits off the beginning of a URL that lacks its scheme, or one of its slashes.
fn split_slashes(word: &str) -> (&str, &str) {
    let split = ["https:/", "http:/", "//"]
        .into_iter()
        .find_map(|beginning| {
            word.strip_prefix(beginning)
                .map(|address| (beginning, address))
        });
    match split {
        // Both slashes are there.
        Some((_, address)) if address.starts_with('/') => ("", word),
        Some(split) => split,
        None => ("", word),
    }
}

/// Returns whether a word with an at sign is an address. An identity such as `mailto:me@example.com`, the URL of a
/// package such as `pkg:golang/example.com/a@v1.0/b` and a layout such as `oci:dir/a@b` are not.
fn is_address(word: &str) -> bool {
    if word.contains("://") {
        return true;
    }
    let (scheme, _) = word.split_once(':').unwrap_or_default();
    !OTHER_SCHEMES.contains(&scheme)
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
