//! What is printed where: data on standard output, everything else on standard error.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::error::ErrorKind;
use serde_json::{Map, Value, json};

use super::escape;
use super::problem::Problem;
use super::schema::Violation;

/// The form of what is printed on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people and simple scripts
    #[default]
    Text,
    /// One JSON object with `success`
    Json,
}

impl Format {
    /// The format that a command line asks for which could not be parsed.
    pub(crate) fn asked_for(arguments: &[OsString]) -> Self {
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

/// What a command has to say, in both formats.
pub(crate) struct Answer {
    text: String,
    fields: Map<String, Value>,
    problem: Option<Problem>,
}

impl Answer {
    /// The text is data: it has to be safe for a terminal already.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            fields: Map::new(),
            problem: None,
        }
    }

    /// The answer is that something is wrong: it is printed, and the command fails with this.
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

/// A field as text: without quotes, and `none` for nothing.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Where output goes.
#[derive(Clone)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet }
    }

    /// Tells the user something that is not the answer.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            to_stderr(message);
        }
    }

    /// Prints the answer of a command that did what it was asked to.
    pub(crate) fn answer(&self, answer: Answer) -> ExitCode {
        let problem = answer.problem.as_ref();
        let text = match self.format {
            Format::Text => answer.text,
            Format::Json => {
                let mut fields = answer.fields;
                fields.insert("success".to_owned(), problem.is_none().into());
                if let Some(problem) = problem {
                    fields.insert("error".to_owned(), error(problem));
                }
                escape::json(&Value::Object(fields).to_string())
            }
        };
        match to_stdout(&text) {
            Ok(()) => match problem {
                Some(problem) => {
                    if self.format == Format::Text {
                        problem_to_stderr(problem);
                    }
                    ExitCode::from(problem.code)
                }
                None => ExitCode::SUCCESS,
            },
            Err(error) => {
                to_stderr(&format!("error: cannot write to standard output: {error}"));
                ExitCode::FAILURE
            }
        }
    }

    /// Tells what went wrong.
    pub(crate) fn problem(&self, problem: &Problem) -> ExitCode {
        match self.format {
            Format::Text => problem_to_stderr(problem),
            Format::Json => {
                let mut fields = Map::new();
                fields.insert("success".to_owned(), false.into());
                fields.insert("error".to_owned(), error(problem));
                if !problem.violations.is_empty() {
                    let violations = problem.violations.iter().map(Violation::to_json);
                    fields.insert("violations".to_owned(), violations.collect());
                }
                let object = Value::Object(fields);
                // When this cannot be written either, the exit code has to do.
                let _ = to_stdout(&escape::json(&object.to_string()));
            }
        }
        ExitCode::from(problem.code)
    }

    /// Answers arguments that clap did not take, and those that ask for help or the version.
    pub(crate) fn usage(&self, error: &clap::Error) -> ExitCode {
        let asked_for = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        if self.format == Format::Json && !asked_for {
            return self.problem(&usage_problem(error));
        }
        // Standard output for what was asked for, standard error for the rest. A reader that went
        // away is none of our business.
        let _ = error.print();
        if asked_for {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        }
    }
}

/// clap's message is a paragraph, then a tip perhaps, then how to use the command.
fn usage_problem(error: &clap::Error) -> Problem {
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
    let hint = rendered
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "))
        .or_else(|| {
            rendered
                .lines()
                .find_map(|line| line.strip_prefix("For more information, "))
                .map(|line| line.trim_end_matches('.'))
        });
    Problem::usage(words.join(" "), hint.map(str::to_owned))
}

/// A problem as other programs read it.
fn error(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind,
        "message": problem.message,
        "hint": problem.hint,
    })
}

fn problem_to_stderr(problem: &Problem) {
    to_stderr(&format!("error: {}", escape::lines(&problem.message)));
    for violation in &problem.violations {
        to_stderr(&format!("  {}", escape::line(&violation.to_string())));
    }
    if let Some(hint) = &problem.hint {
        to_stderr(&format!("hint: {}", escape::lines(hint)));
    }
}

fn to_stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut write = || {
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    };
    match write() {
        // Whoever was reading has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn to_stderr(line: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn format(line: &str) -> Format {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Format::asked_for(&arguments)
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

    #[test]
    fn a_usage_error_becomes_one_line_and_a_hint() {
        let error = Cli::command()
            .try_get_matches_from(["par", "verify", "x.par", "--isuer", "A"])
            .unwrap_err();
        let problem = usage_problem(&error);
        assert_eq!(problem.message, "unexpected argument '--isuer' found");
        assert_eq!(
            problem.hint.as_deref(),
            Some("a similar argument exists: '--issuer'")
        );
        let error = Cli::command()
            .try_get_matches_from(["par", "verify"])
            .unwrap_err();
        assert_eq!(
            usage_problem(&error).message,
            "the following required arguments were not provided: <FILE|REF|->"
        );
    }
}
