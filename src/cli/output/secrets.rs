//! Hides seeds in messages.

use std::borrow::Cow;

/// The text that replaces a seed in a message.
const HIDDEN: &str = "S…";

/// The shortest word, in characters, that is hidden because it looks like a seed. A complete seed has 58.
const SHORTEST: usize = 30;

/// Replaces words that look like a complete or a cut seed. Without this, the error about a seed in a wrong place, such
/// as the place of a path, would show the seed.
pub(super) fn hide_seeds(text: &str) -> Cow<'_, str> {
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
