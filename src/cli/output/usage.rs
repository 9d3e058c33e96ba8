//! Errors of the argument parser.

use clap::error::ErrorKind;

use super::problem::Problem;

/// Turns an error of clap into a problem. clap's message is a paragraph, followed by a tip perhaps, and by how
/// the command is used.
pub(super) fn usage_problem(error: &clap::Error) -> Problem {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let message = "a command or its arguments are missing".to_owned();
        return Problem::usage(message, Some("see `par --help`".to_owned()));
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
        let line = rendered
            .lines()
            .find_map(|line| line.strip_prefix("For more information, "))?;
        Some(line.trim_end_matches('.'))
    };
    Problem::usage(words.join(" "), tip.or_else(more).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn problem(arguments: &[&str]) -> Problem {
        let command = Command::new("par")
            .arg(Arg::new("archive").value_name("FILE|REF|-").required(true))
            .arg(Arg::new("issuer").long("issuer"));
        let error = command.try_get_matches_from(arguments).unwrap_err();
        usage_problem(&error)
    }

    #[test]
    fn a_usage_error_becomes_one_line_and_a_hint() {
        let similar = problem(&["par", "x.par", "--isuer", "A"]);
        assert_eq!(similar.message, "unexpected argument '--isuer' found");
        assert_eq!(
            similar.hint.as_deref(),
            Some("a similar argument exists: '--issuer'")
        );
        assert_eq!(
            problem(&["par"]).message,
            "the following required arguments were not provided: <FILE|REF|->"
        );
    }
}
