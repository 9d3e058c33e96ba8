//! What users see: answers, errors with hints, progress bars, the log, and questions.

mod answer;
pub(crate) mod escape;
mod failure;
mod format;
mod hints;
pub(crate) mod log;
mod printer;
mod problem;
mod progress;
pub(crate) mod terminal;
mod text;
mod usage;

pub(crate) use answer::Answer;
pub(crate) use failure::{Failure, Violation};
pub(crate) use format::Format;
pub(crate) use hints::finding_hint;
pub(crate) use printer::Printer;
pub(crate) use problem::Problem;
pub(crate) use progress::Bars;
pub(crate) use text::{path_text, value_text};
