//! Finds the seeds of keys in messages.
//!
//! A user may give a seed in a wrong place, such as that of a path, and also cut, mistyped or encoded. An error about
//! that text must not show the seed.

use std::ops::Range;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use nkeys::decode_seed;

/// The length of a seed in characters of base32. Its last bytes are a checksum.
const LENGTH: usize = 58;

/// The shortest word, in characters, that is hidden because it looks like a seed.
const SHORTEST: usize = 30;

/// The shortest word, in characters, that is hidden although it has both cases, or digits that no seed has.
const SHORTEST_MISTYPED: usize = 40;

/// The shortest word, in characters, that is decoded: base64 of [`SHORTEST`] characters.
const SHORTEST_ENCODED: usize = 40;

/// Returns the places of the seeds in a text, in order. They may overlap.
pub(super) fn find_seeds(text: &str) -> Vec<Range<usize>> {
    let mut found = plain(text);
    found.extend(encoded(text));
    found.sort_by_key(|place| place.start);
    found
}

/// Finds seeds that are not encoded: by their form, and by their checksums.
fn plain(text: &str) -> Vec<Range<usize>> {
    let words = runs(text, |byte| byte.is_ascii_alphanumeric());
    let by_form = words.filter(|place| text.get(place.clone()).is_some_and(has_form));
    by_form.chain(by_checksum(text)).collect()
}

/// Returns whether a word looks like a complete or a cut seed: base32 that begins with an S. The public keys of accounts
/// and services begin with other letters, and a word with both cases and no digits may be the name of a type.
fn has_form(word: &str) -> bool {
    let all = |is_right: fn(u8) -> bool| word.bytes().all(is_right);
    let any = |is_right: fn(u8) -> bool| word.bytes().any(is_right);
    let is_base32 = all(is_base32);
    let is_one_case =
        !any(|byte| byte.is_ascii_lowercase()) || !any(|byte| byte.is_ascii_uppercase());
    let has_digits = any(|byte| byte.is_ascii_digit());
    let is_upper = all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_mistyped = is_base32 && has_digits || is_upper;
    word.starts_with(['S', 's'])
        && (word.len() >= SHORTEST && is_base32 && is_one_case
            || word.len() >= SHORTEST_MISTYPED && is_mistyped)
}

/// Finds complete seeds, and seeds without their first letter, in any case, with white space inside, and with other
/// letters in front of them and behind them. The checksum tells them from other texts.
fn by_checksum(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut letters = Vec::new();
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((place, byte)) = bytes.next() {
        let next = bytes.peek().map(|(_, next)| *next);
        if is_base32(byte) {
            letters.push((place, byte.to_ascii_uppercase()));
        } else if byte == b'\\' && matches!(next, Some(b'n' | b'r' | b't')) {
            // White space that is escaped.
            bytes.next();
        } else if !byte.is_ascii_whitespace() {
            found.extend(in_letters(&letters));
            letters.clear();
        }
    }
    found.extend(in_letters(&letters));
    found
}

/// Finds seeds in letters of base32 with their places in the text. Between two letters there is nothing, or white space.
fn in_letters(letters: &[(usize, u8)]) -> Vec<Range<usize>> {
    let is_seed = |first: &str, window: &[(usize, u8)]| {
        let rest = window.iter().map(|(_, letter)| char::from(*letter));
        let seed: String = first.chars().chain(rest).collect();
        decode_seed(&seed).is_ok()
    };
    let mut before = None;
    let mut found = Vec::new();
    for (start, (place, letter)) in letters.iter().copied().enumerate() {
        let begins_word = before.is_none_or(|before: usize| before + 1 < place);
        before = Some(place);
        let window = |length: usize| letters.get(start..start + length);
        let whole = window(LENGTH).filter(|window| letter == b'S' && is_seed("", window));
        let headless = || window(LENGTH - 1).filter(|window| begins_word && is_seed("S", window));
        if let Some((end, _)) = whole.or_else(headless).and_then(<[_]>::last) {
            found.push(place..end + 1);
        }
    }
    found
}

/// Finds words that are seeds in base64, with `+/` or with `-_`, or in hexadecimal digits.
fn encoded(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let words = runs(text, is_part).filter(|place| place.len() >= SHORTEST_ENCODED);
    words.filter(|place| text.get(place.clone()).is_some_and(encodes_seed))
}

/// Returns whether a word encodes a text with a seed, also with other characters in front of it.
fn encodes_seed(word: &str) -> bool {
    let is_other = |character: char| !character.is_ascii_hexdigit();
    let decode = |digits: &str| HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
    let mut parts = word.split(is_other);
    parts.any(|digits| decode(digits).is_ok_and(has_seed)) || is_base64(word)
}

/// Returns whether a decoded text has a seed.
fn has_seed(bytes: Vec<u8>) -> bool {
    let text: String = bytes.into_iter().map(char::from).collect();
    !plain(&text).is_empty()
}

fn is_base64(word: &str) -> bool {
    let word: Vec<u8> = word
        .bytes()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        })
        .collect();
    (0..4).any(|skipped| {
        let rest = word.get(skipped..).unwrap_or_default();
        let whole = rest.get(..rest.len() / 4 * 4).unwrap_or_default();
        BASE64.decode(whole).is_ok_and(has_seed)
    })
}

fn is_base32(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7')
}

/// Returns the places of the longest parts of a text whose bytes all satisfy `is_part`, which must be false for bytes
/// that are not ASCII.
fn runs(text: &str, is_part: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, byte) in text.bytes().enumerate() {
        match runs.last_mut() {
            _ if !is_part(byte) => {}
            Some(run) if run.end == place => run.end += 1,
            _ => runs.push(place..place + 1),
        }
    }
    runs.into_iter()
}

#[cfg(test)]
#[path = "tests/seeds.rs"]
mod tests;
