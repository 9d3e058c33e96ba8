//! Escapes untrusted text for a terminal.
//!
//! Names, vendors and answers of registries are untrusted, and a terminal executes the escape sequences in
//! its input: they change the title of the window, overwrite other output or reorder text.

use std::borrow::Cow;

/// Escapes all control characters, so that the text stays on one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_dangerous)
}

/// Escapes all control characters except line ends and tabs.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| {
        is_dangerous(character) && !matches!(character, '\n' | '\t')
    })
}

/// Escapes dangerous characters in JSON text that `serde_json` does not escape. A `\u` escape means the same to
/// every JSON parser.
pub(crate) fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn escape(text: &str, dangerous: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&dangerous) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if dangerous(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character is a control character, a line or paragraph separator, or a mark that changes the
/// direction of text. All of these are in the Basic Multilingual Plane, so one `\u` escape of JSON is enough.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_reordering_marks_become_visible() {
        assert_eq!(line("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
        assert_eq!(line("\u{202e}gnp.exe"), "\\u{202e}gnp.exe");
        assert_eq!(line("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(line("Schlüsselwert 鍵 \\ 'x'"), "Schlüsselwert 鍵 \\ 'x'");
        assert_eq!(lines("a\n\tb\u{7}"), "a\n\tb\\u{7}");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "name": "a\u{1b}\u{9b}\u{7f}\u{202e}ü" });
        let text = json(&value.to_string());
        assert!(!text.contains(is_dangerous));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
