//! Prints data on standard output and everything else on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::escape;
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

    /// Prints a message that the user has to see.
    pub(crate) fn insist(&self, message: &str) {
        print_error(message);
    }

    /// Prints the answer of a command, and returns the exit code.
    pub(crate) fn answer(&self, answer: Answer) -> ExitCode {
        let problem = answer.problem.as_ref();
        let code = problem.map_or(answer.code, |problem| problem.code);
        let text = match self.format {
            Format::Text => answer.text,
            Format::Json => to_json(answer.fields, problem),
        };
        let printed = print_data(&text);
        if let Err(error) = &printed {
            print_error(&format!("error: cannot write to standard output: {error}"));
        }
        if let (Format::Text, Some(problem)) = (self.format, problem) {
            print_problem(problem);
        }
        ExitCode::from(if printed.is_err() { code.max(1) } else { code })
    }

    /// Prints the error that a command failed with, and returns the exit code.
    pub(crate) fn problem(&self, problem: Problem) -> ExitCode {
        self.answer(Answer::new("").failing(problem))
    }

    /// Prints an error of the argument parser, or the help or the version if the user asked for it.
    pub(crate) fn usage(&self, error: &clap::Error) -> ExitCode {
        let asked_for = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        if self.format == Format::Json && !asked_for {
            return self.problem(usage_problem(error));
        }
        // clap prints help and version on standard output, errors on standard error.
        if !asked_for {
            let _ = error.print();
            return ExitCode::from(2);
        }
        let printed = error.print();
        match unless_reader_has_gone(printed.and_then(|()| io::stdout().flush())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                print_error(&format!("error: cannot write to standard output: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

fn to_json(mut fields: Map<String, Value>, problem: Option<&Problem>) -> String {
    fields.insert("success".to_owned(), problem.is_none().into());
    if let Some(problem) = problem {
        let (kind, message, hint) = (problem.kind, &problem.message, &problem.hint);
        let error = json!({ "kind": kind, "message": message, "hint": hint });
        fields.insert("error".to_owned(), error);
        if !problem.violations.is_empty() {
            fields.insert("violations".to_owned(), json!(problem.violations));
        }
    }
    escape::json(&Value::Object(fields).to_string())
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
    unless_reader_has_gone(write())
}

/// Forgives that the reader, such as `head`, has read enough.
fn unless_reader_has_gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn print_error(line: &str) {
    // A failure cannot be reported: standard error is where it would be.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
