//! `--output`: the format of an answer.

use std::ffi::OsString;

use clap::ValueEnum;

/// The format of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people and simple scripts
    #[default]
    Text,
    /// One JSON object with `success`; see docs/json
    Json,
}

impl Format {
    /// Returns the format that a command line requests although it cannot be parsed.
    pub(crate) fn requested_in(arguments: &[OsString]) -> Self {
        if requested_json(arguments, &["--output", "-o"]).unwrap_or_default() {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// Returns whether an option with one of these names has the value `json` in arguments that may not parse. `None`:
/// there is no such option.
pub(super) fn requested_json(arguments: &[OsString], names: &[&str]) -> Option<bool> {
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .take_while(|argument| argument != "--")
        .collect();
    words.iter().enumerate().find_map(|(index, word)| {
        names.iter().find_map(|name| {
            let rest = word.strip_prefix(name)?;
            let value = match rest.strip_prefix('=') {
                Some(value) => value,
                None if rest.is_empty() => words.get(index + 1)?,
                // `-ojson`
                None if name.starts_with("--") => return None,
                None => rest,
            };
            Some(value == "json")
        })
    })
}

#[cfg(test)]
#[path = "tests/format.rs"]
mod tests;
