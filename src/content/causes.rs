//! Errors in one line.

use std::error::Error;

/// Returns the message of an error and those of its sources, separated by colons.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
