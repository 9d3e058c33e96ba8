//! Warnings that registries send to their users (OCI distribution specification, "Warnings").

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, WARNING};

use crate::oci::error::one_line;

/// The most different warnings of an endpoint that are logged.
const LIMIT: usize = 20;

/// The warnings of one endpoint. Each warning is logged once.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<HashSet<String>>);

impl Warnings {
    /// Logs the warnings in the headers of an answer.
    pub(crate) fn log(&self, registry: &str, headers: &HeaderMap) {
        for warning in headers.get_all(WARNING) {
            if let Some(text) = warning.to_str().ok().and_then(text)
                && self.is_new(&text)
            {
                tracing::warn!("{registry} says: {text}");
            }
        }
    }

    fn is_new(&self, text: &str) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < LIMIT && logged.insert(text.to_owned())
    }
}

/// Returns the text of a warning `299 - "..."`. Other codes are warnings about caches, which are ignored.
fn text(warning: &str) -> Option<String> {
    let (code, rest) = warning.trim().split_once(' ')?;
    let (_agent, quoted) = rest.trim_start().split_once(' ')?;
    let text = quoted.trim().strip_prefix('"')?;
    let end = text.rfind('"')?;
    let text = text.get(..end)?.replace("\\\"", "\"").replace("\\\\", "\\");
    (code == "299" && !text.is_empty()).then(|| one_line(&text))
}

#[cfg(test)]
#[path = "tests/warnings.rs"]
mod tests;
