//! `--output`: the format of an answer.

use std::ffi::OsString;

use clap::ValueEnum;

/// The format of what is printed on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people and simple scripts
    #[default]
    Text,
    /// One JSON object with `success`
    Json,
}

impl Format {
    /// Returns the format that a command line requests although it cannot be parsed.
    pub(crate) fn requested_in(arguments: &[OsString]) -> Self {
        let words: Vec<_> = arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .take_while(|argument| argument != "--")
            .collect();
        let joined = |word: &str| matches!(word, "-ojson" | "-o=json" | "--output=json");
        let mut pairs = words.iter().zip(words.iter().skip(1));
        let apart =
            pairs.any(|(option, value)| matches!(&**option, "-o" | "--output") && value == "json");
        if apart || words.iter().any(|word| joined(word)) {
            Self::Json
        } else {
            Self::Text
        }
    }
}

#[cfg(test)]
#[path = "tests/format.rs"]
mod tests;
