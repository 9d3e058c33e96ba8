//! `--annotation KEY=VALUE`

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::cli::output::Failure;

/// Parses an annotation.
pub(super) fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// Returns the annotations by key. The same key twice is an error.
pub(super) fn unique(annotations: Vec<(String, String)>) -> Result<BTreeMap<String, String>> {
    let mut unique = BTreeMap::new();
    for (key, value) in annotations {
        if unique.contains_key(&key) {
            let message = format!("the annotation `{key}` is given twice");
            bail!(Failure::usage(message).hint("give each annotation once"));
        }
        unique.insert(key, value);
    }
    Ok(unique)
}

#[cfg(test)]
#[path = "tests/annotations.rs"]
mod tests;
