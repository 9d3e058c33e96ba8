//! Positions in texts, for messages.

/// Returns the line and the column of the byte at `offset` in `text`, both counted from 1. The column is in characters.
/// An offset that is not in the text, or not at the beginning of a character, counts as the end of the text.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
#[path = "tests/line_and_column.rs"]
mod tests;
