//! Reading TOML files and reporting where a problem in them is.

use std::io::{self, Read};
use std::ops::Range;

use toml::Spanned;

use crate::content::{ErrorKind, is_too_large, line_and_column, read_bounded};

/// Reads a text. Fails if it has more than `limit` bytes or is not UTF-8.
pub(super) fn read_text(reader: impl Read, limit: u64) -> io::Result<String> {
    let text = String::from_utf8(read_bounded(reader, limit)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Returns the kind of an error of [`read_text`]. A file that is not a text is malformed, as one that is not TOML.
pub(super) fn kind_of_text(error: &io::Error) -> ErrorKind {
    if error.kind() == io::ErrorKind::InvalidData || is_too_large(error) {
        ErrorKind::Usage
    } else {
        ErrorKind::of_io(error)
    }
}

/// A problem in a TOML text.
pub(super) struct Problem {
    span: Option<Range<usize>>,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn at<T>(spanned: &Spanned<T>, reason: impl Into<String>) -> Self {
        Self {
            span: Some(spanned.span()),
            reason: reason.into(),
        }
    }

    /// Returns the line and the column where the problem begins in `text`, both counted from 1.
    pub(super) fn position(&self, text: &str) -> (usize, usize) {
        let start = self.span.as_ref().map_or(0, |span| span.start);
        line_and_column(text, start)
    }
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        Self {
            span: error.span(),
            reason: error.message().to_owned(),
        }
    }
}
