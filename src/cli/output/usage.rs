//! Errors of the argument parser.

use clap::error::ErrorKind;

use crate::content;

use super::problem::Problem;

/// Turns an error of clap into a problem. clap's text is a paragraph with the message, sometimes a tip, and the usage
/// of the command.
pub(super) fn usage_problem(error: &clap::Error) -> Problem {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let message = "a command or its arguments are missing".to_owned();
        let hint = "see `par --help`".to_owned();
        return Problem::found(content::ErrorKind::Usage, message, Some(hint));
    }
    let rendered = error.render().to_string();
    let first = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first
        .trim_start_matches("error: ")
        .split_whitespace()
        .collect();
    let tip = rendered
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "));
    let more = || {
        let mut lines = rendered.lines();
        let line = lines.find_map(|line| line.strip_prefix("For more information, "))?;
        Some(line.trim_end_matches('.'))
    };
    let hint = tip.or_else(more).map(str::to_owned);
    Problem::found(content::ErrorKind::Usage, words.join(" "), hint)
}

#[cfg(test)]
#[path = "tests/usage.rs"]
mod tests;
