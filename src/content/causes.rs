//! The causes of errors.

use std::error::Error;
use std::io;

use super::progress::Stopped;
use super::store_error::StoreError;

/// Returns the message of an error and those of its sources, separated by colons.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// Returns whether [`Stopped`] is `error` or one of its causes. An I/O error and an error of a storage also contain an error
/// that `source` does not return.
pub(crate) fn is_stopped(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Stopped>() {
            return true;
        }
        next = if let Some(error) = error.downcast_ref::<StoreError>() {
            Some(error.inner())
        } else if let Some(error) = error.downcast_ref::<io::Error>() {
            error.get_ref().map(|inner| inner as _)
        } else {
            error.source()
        };
    }
    false
}

#[cfg(test)]
#[path = "tests/causes.rs"]
mod tests;
