//! Escapes untrusted text for a terminal.
//!
//! Names, vendors and answers of registries are untrusted, and a terminal executes the escape sequences in
//! its input: they change the title of the window, overwrite other output or reorder text.

/// Escapes all control characters, so that the text stays on one line.
pub(crate) fn line(text: &str) -> String {
    escape(text, is_dangerous, |character| {
        character.escape_default().to_string()
    })
}

/// Escapes all control characters except line ends and tabs.
pub(crate) fn lines(text: &str) -> String {
    let dangerous = |character| is_dangerous(character) && !matches!(character, '\n' | '\t');
    escape(text, dangerous, |character| {
        character.escape_default().to_string()
    })
}

/// Escapes dangerous characters in JSON text that `serde_json` does not escape. A `\u` escape means the same to
/// every JSON parser.
pub(crate) fn json(text: &str) -> String {
    escape(text, is_dangerous, |character| {
        format!("\\u{:04x}", u32::from(character))
    })
}

fn escape(text: &str, dangerous: fn(char) -> bool, escaped: fn(char) -> String) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if dangerous(character) {
            safe.push_str(&escaped(character));
        } else {
            safe.push(character);
        }
    }
    safe
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
#[path = "tests/escape.rs"]
mod tests;
