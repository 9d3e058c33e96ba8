//! Prints data on standard output and everything else on standard error.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use clap::error::ErrorKind;
use serde_json::{Map, Value, json};

use crate::content::AnsweringHosts;

use super::answer::Answer;
use super::escape;
use super::format::Format;
use super::log::LogFormat;
use super::problem::Problem;
use super::secrets::hide_secrets;
use super::usage::usage_problem;
use super::warnings::Warnings;

/// The formats of the output of a command.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Formats {
    /// The format of standard output.
    pub(crate) output: Format,
    /// The format of standard error.
    pub(crate) log: LogFormat,
}

/// Prints answers, notes and problems in the formats that the user wants. Cheap to clone; clones share the
/// warnings and the record of the hosts that answered.
#[derive(Clone)]
pub(crate) struct Printer {
    formats: Formats,
    quiet: bool,
    warnings: Warnings,
    answering: Arc<OnceLock<AnsweringHosts>>,
}

impl Printer {
    pub(crate) fn new(formats: Formats, quiet: bool) -> Self {
        Self {
            formats,
            quiet,
            warnings: Warnings::default(),
            answering: Arc::default(),
        }
    }

    /// Returns the warnings of this run. The JSON object of the answer contains them, also those that are added later.
    pub(crate) fn warnings(&self) -> Warnings {
        self.warnings.clone()
    }

    /// Returns the record of the hosts that answer. After this call, the JSON object of the answer contains it.
    pub(crate) fn answering(&self) -> AnsweringHosts {
        self.answering.get_or_init(AnsweringHosts::default).clone()
    }

    /// Whether standard output has to be a JSON object.
    pub(crate) fn prints_json(&self) -> bool {
        self.formats.output == Format::Json
    }

    /// Whether every line of standard error has to be a JSON object.
    pub(crate) fn logs_json(&self) -> bool {
        self.formats.log == LogFormat::Json
    }

    /// Whether only errors are printed to standard error.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a message that is not part of the answer.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            self.print_error(Level::Info, message);
        }
    }

    /// Prints a warning, and keeps it for a JSON answer.
    pub(crate) fn warn(&self, message: &str) {
        self.warnings.add(&hide_secrets(message));
        if !self.quiet {
            self.print_error(Level::Warning, message);
        }
    }

    /// Prints a message even if the user wants only errors.
    pub(crate) fn note_always(&self, message: &str) {
        self.print_error(Level::Info, message);
    }

    /// Prints the answer of a command, and returns the exit code.
    pub(crate) fn answer(&self, mut answer: Answer) -> ExitCode {
        if let Some(answering) = self.answering.get() {
            answer = answer
                .field("from", answering.names())
                .field("stale", answering.is_stale());
        }
        self.finish(answer)
    }

    /// Prints the error that a command failed with, and returns the exit code.
    pub(crate) fn problem(&self, problem: Problem) -> ExitCode {
        self.finish(Answer::new("").failing(problem))
    }

    fn finish(&self, answer: Answer) -> ExitCode {
        let problem = answer.problem.as_ref();
        let code = problem.map_or(answer.code, |problem| problem.code);
        let printed = match (self.formats.output, answer.exactly) {
            (Format::Text, Some(bytes)) => print_exactly(&bytes),
            (Format::Text, None) => print_text(&answer.text),
            (Format::Json, _) => print_text(self.to_json(answer.fields, problem).as_bytes()),
        };
        if let Err(error) = &printed {
            self.cannot_write(error);
        }
        if let (Format::Text, Some(problem)) = (self.formats.output, problem) {
            self.print_problem(problem);
        }
        ExitCode::from(if printed.is_err() { code.max(1) } else { code })
    }

    /// Prints an error of the argument parser, or the help or the version if the user asked for it.
    pub(crate) fn usage(&self, error: &clap::Error) -> ExitCode {
        let asked_for = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        let Formats { output, log } = self.formats;
        if !asked_for && (output == Format::Json || log == LogFormat::Json) {
            return self.problem(usage_problem(error));
        }
        // clap prints help and version on standard output, errors on standard error.
        if !asked_for {
            let text = error.to_string();
            let hidden = hide_secrets(&text);
            if hidden == text {
                let _ = error.print();
            } else {
                print_line(escape::lines(&hidden).trim_end());
            }
            return ExitCode::from(2);
        }
        let printed = error.print();
        match unless_reader_has_gone(printed.and_then(|()| io::stdout().flush())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                self.cannot_write(&error);
                ExitCode::FAILURE
            }
        }
    }

    fn to_json(&self, mut fields: Map<String, Value>, problem: Option<&Problem>) -> String {
        fields.insert("success".to_owned(), problem.is_none().into());
        fields.insert("warnings".to_owned(), self.warnings.all().into());
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

    /// Prints an error, with its hint, on standard error.
    pub(crate) fn print_problem(&self, problem: &Problem) {
        if self.formats.log == LogFormat::Json {
            let mut record = record(Level::Error, &problem.message);
            record.insert("kind".to_owned(), problem.kind.into());
            record.insert("hint".to_owned(), json!(problem.hint));
            if !problem.violations.is_empty() {
                record.insert("violations".to_owned(), json!(problem.violations));
            }
            return print_record(record);
        }
        self.print_error(Level::Error, &problem.message);
        for violation in &problem.violations {
            print_line(&format!("  {}", escape::line(&violation.to_string())));
        }
        if let Some(hint) = &problem.hint {
            print_line(&format!("hint: {}", escape::lines(hint)));
        }
    }

    fn cannot_write(&self, error: &io::Error) {
        let message = format!("cannot write to standard output: {error}");
        self.print_error(Level::Error, &message);
    }

    /// Prints a message on standard error.
    fn print_error(&self, level: Level, message: &str) {
        let message = &hide_secrets(message);
        match self.formats.log {
            LogFormat::Json => print_record(record(level, message)),
            LogFormat::Text => {
                print_line(&format!("{}{}", level.prefix(), escape::lines(message)));
            }
        }
    }
}

/// The level of a message.
#[derive(Clone, Copy)]
enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    /// The name in a JSON log. The log of the library has the same names.
    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The start of a line of text.
    fn prefix(self) -> &'static str {
        match self {
            Self::Info => "",
            Self::Warning => "warning: ",
            Self::Error => "error: ",
        }
    }
}

/// Returns a record of a JSON log. Its keys are those of the records of the library.
fn record(level: Level, message: &str) -> Map<String, Value> {
    let now = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
    let fields = [
        ("timestamp", now.as_str()),
        ("level", level.name()),
        ("message", message),
        ("target", "par"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
    fields.into_iter().collect()
}

/// Prints text, and ends its last line.
fn print_text(text: &[u8]) -> io::Result<()> {
    let is_ended = text.is_empty() || text.ends_with(b"\n");
    let end: &[u8] = if is_ended { b"" } else { b"\n" };
    print_data(&[text, end])
}

/// Prints bytes as they are.
fn print_exactly(bytes: &[u8]) -> io::Result<()> {
    print_data(&[bytes])
}

fn print_data(parts: &[&[u8]]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut write = || {
        for part in parts {
            stdout.write_all(part)?;
        }
        stdout.flush()
    };
    unless_reader_has_gone(write())
}

/// Ignores the error that the reader, such as `head`, has closed the pipe.
fn unless_reader_has_gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn print_record(record: Map<String, Value>) {
    print_line(&escape::json(&Value::Object(record).to_string()));
}

fn print_line(line: &str) {
    // A failure is ignored, because it could only be reported on standard error.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
