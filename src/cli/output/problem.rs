//! Turns errors into their output: kind, message, hint and exit code.

use std::error::Error;

use crate::archive::{self, ParseTargetError};
use crate::client::signing::SigningError;
use crate::content::{ErrorKind, ParseDigestError};
use crate::oci::ParseReferenceError;
use crate::{cache, client, oci};

use super::failure::{Failure, Violation};
use super::hints::{archive_hint, cache_hint, client_hint, oci_hint, reference_hint, signing_hint};
use super::secrets::hide_secrets;

/// An error in the form in which it is printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: &'static str,
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The places where a configuration does not match its schema.
    pub(crate) violations: Vec<Violation>,
}

impl Problem {
    /// Returns the problem for an error. The kind comes from the outermost error that has a kind, and the hint from the
    /// outermost error that has a hint. The message is the whole chain of errors.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        // Only `anyhow` itself can find a failure that was attached as context: it is not in the chain.
        let context = error.downcast_ref::<Failure>();
        let first = context.and_then(|failure| classify(failure));
        let rest = error.chain().filter_map(classify);
        let classified: Vec<_> = first.into_iter().chain(rest).collect();
        let kind = classified
            .first()
            .map_or(ErrorKind::Other, |(kind, _)| *kind);
        let hint = classified.into_iter().find_map(|(_, hint)| hint);
        Self {
            violations: context.map_or_else(Vec::new, |failure| failure.violations.clone()),
            ..Self::found(kind, format!("{error:#}"), hint)
        }
    }

    /// Returns a problem that a check of the command has found.
    pub(crate) fn found(kind: ErrorKind, message: String, hint: Option<String>) -> Self {
        Self {
            kind: kind.name(),
            code: exit_code(kind),
            message: hide_secrets(&message).into_owned(),
            hint: hint.map(|hint| hide_secrets(&hint).into_owned()),
            violations: Vec::new(),
        }
    }

    /// Returns the problem of a command that was interrupted.
    pub(crate) fn interrupted() -> Self {
        Self {
            kind: "interrupted",
            // The exit code that a shell reports for a program ended by SIGINT.
            code: 130,
            ..Self::found(ErrorKind::Other, "interrupted".to_owned(), None)
        }
    }
}

/// Returns the exit code of a kind. Exit codes are stable; `par --help` lists them.
fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage => 2,
        ErrorKind::NotFound => 3,
        ErrorKind::Denied => 4,
        ErrorKind::NotVerified => 5,
        ErrorKind::Unavailable => 6,
        ErrorKind::Conflict => 7,
        _ => 1,
    }
}

/// Returns the kind and the hint of an error whose type is known here.
fn classify(error: &(dyn Error + 'static)) -> Option<(ErrorKind, Option<String>)> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some((failure.kind, failure.hint.clone()));
    }
    if let Some(error) = error.downcast_ref::<archive::Error>() {
        return Some((error.kind(), archive_hint(error).map(str::to_owned)));
    }
    if let Some(error) = error.downcast_ref::<client::Error>() {
        return Some((error.kind(), client_hint(error)));
    }
    if let Some(error) = error.downcast_ref::<SigningError>() {
        return Some((error.kind(), signing_hint(error)));
    }
    if let Some(error) = error.downcast_ref::<oci::Error>() {
        return Some((error.kind(), oci_hint(error)));
    }
    if let Some(error) = error.downcast_ref::<cache::Error>() {
        return Some((error.kind(), cache_hint(error)));
    }
    if let Some(error) = error.downcast_ref::<ParseReferenceError>() {
        return Some((ErrorKind::Usage, reference_hint(error)));
    }
    if error.is::<ParseDigestError>() || error.is::<ParseTargetError>() {
        return Some((ErrorKind::Usage, None));
    }
    let error = error.downcast_ref::<std::io::Error>()?;
    Some((ErrorKind::of_io(error), None))
}

#[cfg(test)]
#[path = "tests/problem.rs"]
mod tests;
