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
        let joined = words
            .iter()
            .any(|word| matches!(word.as_ref(), "-ojson" | "-o=json" | "--output=json"));
        let apart = words.windows(2).any(|pair| match pair {
            [option, value] => matches!(option.as_ref(), "-o" | "--output") && value == "json",
            _ => false,
        });
        if joined || apart {
            Self::Json
        } else {
            Self::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(line: &str) -> Format {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Format::requested_in(&arguments)
    }

    #[test]
    fn the_format_is_found_in_arguments_that_do_not_parse() {
        for line in [
            "par -o json",
            "par x -ojson",
            "par --output=json y",
            "par --output json",
        ] {
            assert_eq!(format(line), Format::Json, "{line}");
        }
        for line in ["par", "par -o text json", "par x -- -o json", "par -o"] {
            assert_eq!(format(line), Format::Text, "{line}");
        }
    }
}
