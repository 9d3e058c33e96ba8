//! The output of the command: answers, errors with hints, progress bars, the log, and questions.

mod answer;
pub(crate) mod escape;
mod failure;
mod format;
mod hints;
pub(crate) mod log;
mod printer;
mod problem;
mod progress;
mod progress_lines;
mod secrets;
mod seeds;
pub(crate) mod terminal;
mod text;
mod usage;
mod warnings;

pub(crate) use answer::Answer;
pub(crate) use failure::{Failure, Violation};
pub(crate) use format::Format;
pub(crate) use hints::{
    finding_hint, is_reference, layout_hint, missing_credentials, missing_credentials_hint,
};
pub(crate) use log::{LOG_FORMAT, LogFormat};
pub(crate) use printer::{Formats, Printer};
pub(crate) use problem::Problem;
pub(crate) use progress::{Bars, Display};
pub(crate) use progress_lines::{Lines, bytes};
pub(crate) use secrets::hide_secrets;
pub(crate) use text::{path_text, value_text};
