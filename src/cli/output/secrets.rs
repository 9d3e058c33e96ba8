//! Hides seeds and passwords in messages.

use std::borrow::Cow;

use crate::oci::without_userinfo;

use super::seeds::find_seeds;

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

/// Replaces seeds.
fn hide_seeds(text: &str) -> Cow<'_, str> {
    let mut hidden = String::new();
    let mut shown = 0;
    for seed in find_seeds(text) {
        if seed.start >= shown {
            hidden.push_str(text.get(shown..seed.start).unwrap_or_default());
            hidden.push_str(HIDDEN);
        }
        shown = shown.max(seed.end);
    }
    if shown == 0 {
        return Cow::Borrowed(text);
    }
    hidden.push_str(text.get(shown..).unwrap_or_default());
    Cow::Owned(hidden)
}

#[cfg(test)]
#[path = "tests/secrets.rs"]
mod tests;
