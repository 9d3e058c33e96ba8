//! Patterns with `*`.

/// Returns whether `text` matches `pattern`, in which `*` stands for any number of any characters.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = text
        .strip_prefix(start)
        .and_then(|text| text.strip_suffix(end));
    // The first match of a piece is the best: it leaves the most text for the pieces after it.
    let mut pieces = middle.split('*').filter(|piece| !piece.is_empty());
    let left = between
        .and_then(|text| pieces.try_fold(text, |text, piece| Some(text.split_once(piece)?.1)));
    left.is_some()
}
