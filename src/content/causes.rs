//! Errors with what they came from.

use std::error::Error;

/// An error and what it came from, on one line.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
