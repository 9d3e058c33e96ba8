//! A place where a configuration does not match its schema.

use std::fmt;

use serde_json::{Value, json};

/// A place where a configuration does not match its schema, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The place, as a JSON pointer.
    pub(crate) pointer: String,
    /// The reason, without the value: a configuration may hold secrets.
    pub(crate) reason: String,
}

impl Violation {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "pointer": self.pointer, "reason": self.reason })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(formatter, "at the top: {}", self.reason),
            pointer => write!(formatter, "{pointer}: {}", self.reason),
        }
    }
}
