//! Functions that make errors of this layer.

use std::io;
use std::path::Path;

use crate::content::{RuntimeEnded, StoreError, VerifyError};

use super::super::one_line::one_line;
use super::Error;

impl Error {
    /// Returns a function that makes the error for `path`.
    pub(in crate::oci) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Returns a function that makes the error for JSON of a wrong form.
    pub(in crate::oci) fn json(what: impl Into<String>) -> impl FnOnce(serde_json::Error) -> Self {
        let what = what.into();
        move |source| Self::Json {
            what,
            source: source.into(),
        }
    }

    pub(in crate::oci) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Self {
        let (what, reason) = (what.into(), reason.into());
        Self::Malformed { what, reason }
    }

    pub(in crate::oci) fn too_large(what: String, limit: u64) -> Self {
        Self::TooLarge { what, limit }
    }

    /// Returns the error for content that should have `size` bytes.
    pub(in crate::oci) fn wrong_size(what: String, size: u64, actual: String) -> Self {
        Self::Contradiction {
            what,
            announced: format!("{size} bytes"),
            actual,
        }
    }

    /// Returns the error for text that is neither a tag nor a digest.
    pub(in crate::oci) fn name(text: &str) -> Self {
        let name = one_line(text);
        Self::Name { name }
    }

    pub(in crate::oci) fn not_verified(what: String, source: VerifyError) -> Self {
        Self::NotVerified { what, source }
    }

    /// Returns the error for a failure of a verifying reader: either the content is wrong, or its source failed.
    pub(in crate::oci) fn reading(what: String, error: io::Error) -> Self {
        match error.downcast() {
            Ok(source) => Self::NotVerified { what, source },
            Err(source) => Self::SourceFailed { what, source },
        }
    }
}

impl From<RuntimeEnded> for Error {
    fn from(error: RuntimeEnded) -> Self {
        Self::Cancelled {
            source: error.into(),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            // The error of the storage at the other end passes through unchanged.
            Error::Source(inner) => inner,
            error => Self::new(error.kind(), error),
        }
    }
}
