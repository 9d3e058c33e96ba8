//! The answer of a command, in both formats.

use serde_json::{Map, Value};

use super::problem::Problem;

/// The answer of a command.
pub(crate) struct Answer {
    pub(super) text: String,
    pub(super) fields: Map<String, Value>,
    pub(super) problem: Option<Problem>,
}

impl Answer {
    /// Returns an answer with this text, which must be escaped for a terminal already.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            fields: Map::new(),
            problem: None,
        }
    }

    /// Makes the command fail with `problem`, if there is one, after the answer is printed.
    pub(crate) fn failing(mut self, problem: impl Into<Option<Problem>>) -> Self {
        self.problem = problem.into();
        self
    }

    /// Adds a field to the JSON object.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}
