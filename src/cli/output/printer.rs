//! Prints data on standard output and everything else on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::escape;
use super::failure::Violation;
use super::format::Format;
use super::problem::Problem;
use super::usage::usage_problem;

/// Prints answers, notes and problems in the format that the user wants. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Printer {
    format: Format,
    quiet: bool,
}

impl Printer {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet }
    }

    /// Prints a message that is not part of the answer.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            print_error(message);
        }
    }

    /// Prints the answer of a command, and returns the exit code.
    pub(crate) fn answer(&self, answer: Answer) -> ExitCode {
        let problem = answer.problem.as_ref();
        let text = match self.format {
            Format::Text => answer.text,
            Format::Json => {
                let mut fields = answer.fields;
                fields.insert("success".to_owned(), problem.is_none().into());
                if let Some(problem) = problem {
                    fields.insert("error".to_owned(), to_json(problem));
                }
                escape::json(&Value::Object(fields).to_string())
            }
        };
        if let Err(error) = print_data(&text) {
            print_error(&format!("error: cannot write to standard output: {error}"));
            return ExitCode::FAILURE;
        }
        let Some(problem) = problem else {
            return ExitCode::SUCCESS;
        };
        if self.format == Format::Text {
            print_problem(problem);
        }
        ExitCode::from(problem.code)
    }

    /// Prints the error that a command failed with, and returns the exit code.
    pub(crate) fn problem(&self, problem: &Problem) -> ExitCode {
        match self.format {
            Format::Text => print_problem(problem),
            Format::Json => {
                let mut fields = Map::new();
                fields.insert("success".to_owned(), false.into());
                fields.insert("error".to_owned(), to_json(problem));
                if !problem.violations.is_empty() {
                    let violations = problem.violations.iter().map(Violation::to_json);
                    fields.insert("violations".to_owned(), violations.collect());
                }
                let object = Value::Object(fields);
                // If this fails, the exit code still says that the command failed.
                let _ = print_data(&escape::json(&object.to_string()));
            }
        }
        ExitCode::from(problem.code)
    }

    /// Prints an error of the argument parser, or the help or the version if the user asked for it.
    pub(crate) fn usage(&self, error: &clap::Error) -> ExitCode {
        let asked_for = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        if self.format == Format::Json && !asked_for {
            return self.problem(&usage_problem(error));
        }
        // clap prints help and version on standard output, errors on standard error. A reader that has
        // closed its end is no failure.
        let _ = error.print();
        if asked_for {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        }
    }
}

/// Returns a problem as JSON.
fn to_json(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind,
        "message": problem.message,
        "hint": problem.hint,
    })
}

fn print_problem(problem: &Problem) {
    print_error(&format!("error: {}", escape::lines(&problem.message)));
    for violation in &problem.violations {
        print_error(&format!("  {}", escape::line(&violation.to_string())));
    }
    if let Some(hint) = &problem.hint {
        print_error(&format!("hint: {}", escape::lines(hint)));
    }
}

fn print_data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut write = || {
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    };
    match write() {
        // The reader, such as `head`, has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn print_error(line: &str) {
    // A failure cannot be reported: standard error is where it would be.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
