//! Shortening untrusted text for messages.

/// Returns `text` on one line, without control characters and cut to 300 characters, so that it is safe in
/// an error message, a log and a terminal.
pub(super) fn one_line(text: &str) -> String {
    const LIMIT: usize = 300;
    let head: String = text.chars().take(8 * LIMIT).collect();
    let words: Vec<&str> = head
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
#[path = "tests/one_line.rs"]
mod tests;
