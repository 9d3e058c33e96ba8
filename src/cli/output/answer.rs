//! The answer of a command, in both formats.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::escape;
use super::problem::Problem;
use super::text::{path_bytes, path_text};

/// The answer of a command.
pub(crate) struct Answer {
    /// Text in UTF-8, except for a path that has other bytes.
    pub(crate) text: Vec<u8>,
    /// Bytes that are printed unchanged, in place of the text.
    pub(super) exactly: Option<Bytes>,
    pub(super) fields: Map<String, Value>,
    pub(super) problem: Option<Problem>,
    /// The exit code without a problem.
    pub(super) code: u8,
}

impl Answer {
    /// Returns an answer with this text, which must be escaped for a terminal already.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into().into_bytes(),
            exactly: None,
            fields: Map::new(),
            problem: None,
            code: 0,
        }
    }

    /// Returns an answer that is printed byte for byte. Nothing in it is escaped, so it must not go to a terminal.
    pub(crate) fn exactly(bytes: Bytes) -> Self {
        Self {
            exactly: Some(bytes),
            ..Self::new("")
        }
    }

    /// Returns an answer with these lines, and escapes them.
    pub(crate) fn lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut text = String::new();
        for line in lines {
            text.push_str(&escape::line(line.as_ref()));
            text.push('\n');
        }
        Self::new(text)
    }

    /// Returns the answer of a command that has written a file: its path. The text is the path with its own bytes, so
    /// that a script can open the file.
    pub(crate) fn file(path: &Path) -> Self {
        let answer = Self {
            text: path_bytes(path),
            ..Self::new("")
        };
        answer.field("file", path_text(path))
    }

    /// Sets the exit code for an answer without a problem.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Makes the command fail with `problem`, if there is one, after the answer is printed.
    pub(crate) fn failing(mut self, problem: impl Into<Option<Problem>>) -> Self {
        self.problem = problem.into();
        self
    }

    /// Returns the fields as a JSON object, to be a part of another answer.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.fields)
    }

    /// Adds a field to the JSON object.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}
