//! Errors that the command line finds itself.

use std::fmt;

use serde::Serialize;

use crate::content::ErrorKind;

/// An error that the command line finds itself, or the context that it gives to an error of the library.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(super) kind: ErrorKind,
    message: String,
    pub(super) hint: Option<String>,
    pub(super) violations: Vec<Violation>,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            violations: Vec::new(),
        }
    }

    /// Returns a failure about wrong arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Adds a hint: what the user can do about the failure, in the imperative.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the places where a configuration does not match its schema.
    pub(crate) fn violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations;
        self
    }
}

/// A place where a configuration does not match its schema, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// The place, as a JSON pointer.
    pub(crate) pointer: String,
    /// The reason, without the value: a configuration may hold secrets.
    pub(crate) reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(formatter, "at the top: {}", self.reason),
            pointer => write!(formatter, "{pointer}: {}", self.reason),
        }
    }
}
