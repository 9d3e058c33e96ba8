//! Files of the cache that could not be read or removed.

use crate::cache::Error;
use crate::cli::failures::Failures;
use crate::cli::output::{Answer, Problem, path_text};
use crate::cli::session::Session;

/// How many messages are printed. The cause is often the same for many files.
const PRINTED: usize = 10;

/// Returns `answer` with the failures of files, which are printed. The command ends with `problem`, or else with the kind
/// of the first failure.
pub(super) fn with_failures(
    answer: Answer,
    errors: Vec<Error>,
    problem: Option<Problem>,
    session: &Session,
) -> Answer {
    let mut failures = Failures::printing(PRINTED);
    for error in errors {
        failures.add(what(&error), &error.into());
    }
    let summary = format!("{} files could not be read or removed", failures.len());
    match problem {
        Some(problem) => failures.end_with(answer, session, problem),
        None => failures.end(answer, session, &summary),
    }
}

/// Returns the path that an error is about.
fn what(error: &Error) -> String {
    match error {
        Error::File { path, .. } | Error::Directory { path, .. } | Error::NotADirectory(path) => {
            path_text(path)
        }
        other => other.to_string(),
    }
}
