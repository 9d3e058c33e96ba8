//! The error of all storages.

use std::error::Error;
use std::fmt;

use super::kind::ErrorKind;

/// The error of a storage or a source of content, with its kind.
pub struct StoreError {
    kind: ErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps the storage's own error.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the storage's own error when it is of type `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.source.downcast_ref()
    }

    /// Returns the storage's own error.
    pub(super) fn inner(&self) -> &(dyn Error + 'static) {
        self.source.as_ref()
    }
}

// Transparent: the message and the sources are those of the storage's own error.
impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, formatter)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, formatter)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
