//! From errors to what a user and a script get: kind, message, hint, exit code.

use std::error::Error;

use crate::archive::{self, ParseTargetError};
use crate::content::{ErrorKind, ParseDigestError};
use crate::oci::ParseReferenceError;
use crate::{cache, client, oci};

use super::failure::Failure;
use super::violation::Violation;

/// What is told about an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: &'static str,
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Told one by one, when there are any.
    pub(crate) violations: Vec<Violation>,
}

impl Problem {
    /// The kind is that of the outermost error that knows its kind; the message is the whole chain.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        // Asked of `anyhow` itself, which alone can see what was attached as context.
        let context = error.downcast_ref::<Failure>();
        let known: Vec<_> = context
            .map(|failure| (failure.kind, failure.hint.clone()))
            .into_iter()
            .chain(error.chain().filter_map(known))
            .collect();
        let kind = known.first().map_or(ErrorKind::Other, |(kind, _)| *kind);
        Self {
            kind: kind.name(),
            code: exit_code(kind),
            message: format!("{error:#}"),
            hint: known.into_iter().find_map(|(_, hint)| hint),
            violations: context.map_or_else(Vec::new, |failure| failure.violations.clone()),
        }
    }

    pub(crate) fn usage(message: String, hint: Option<String>) -> Self {
        Self {
            kind: ErrorKind::Usage.name(),
            code: exit_code(ErrorKind::Usage),
            message,
            hint,
            violations: Vec::new(),
        }
    }

    /// A check that failed.
    pub(crate) fn found(kind: ErrorKind, message: String, hint: Option<String>) -> Self {
        Self {
            kind: kind.name(),
            code: exit_code(kind),
            ..Self::usage(message, hint)
        }
    }

    pub(crate) fn interrupted() -> Self {
        Self {
            kind: "interrupted",
            // What a shell reports for a program that SIGINT ended.
            code: 130,
            message: "interrupted".to_owned(),
            hint: None,
            violations: Vec::new(),
        }
    }
}

/// The stable exit codes; `par --help` lists them.
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

/// Kind and hint of an error that has them.
fn known(error: &(dyn Error + 'static)) -> Option<(ErrorKind, Option<String>)> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some((failure.kind, failure.hint.clone()));
    }
    if let Some(error) = error.downcast_ref::<archive::Error>() {
        return Some((error.kind(), error.hint()));
    }
    if let Some(error) = error.downcast_ref::<client::Error>() {
        return Some((error.kind(), error.hint()));
    }
    if let Some(error) = error.downcast_ref::<oci::Error>() {
        return Some((error.kind(), error.hint()));
    }
    if let Some(error) = error.downcast_ref::<cache::Error>() {
        return Some((error.kind(), error.hint()));
    }
    if error.is::<ParseReferenceError>()
        || error.is::<ParseDigestError>()
        || error.is::<ParseTargetError>()
    {
        return Some((ErrorKind::Usage, None));
    }
    let error = error.downcast_ref::<std::io::Error>()?;
    Some((ErrorKind::of_io(error), None))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::archive::Target;
    use anyhow::Context;

    use super::*;

    fn problem(error: impl Into<anyhow::Error>) -> Problem {
        Problem::of(&error.into())
    }

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        let codes = [
            (ErrorKind::Other, 1),
            (ErrorKind::Usage, 2),
            (ErrorKind::NotFound, 3),
            (ErrorKind::Denied, 4),
            (ErrorKind::NotVerified, 5),
            (ErrorKind::Unavailable, 6),
            (ErrorKind::Conflict, 7),
        ];
        for (kind, code) in codes {
            let problem = problem(Failure::new(kind, "it failed"));
            assert_eq!((problem.kind, problem.code), (kind.name(), code));
        }
        assert_eq!(Problem::interrupted().code, 130);
    }

    #[test]
    fn errors_of_the_library_keep_their_kind_under_context() {
        let missing = archive::Error::Read {
            path: PathBuf::from("x.par"),
            source: std::io::ErrorKind::NotFound.into(),
        };
        assert_eq!(problem(missing).code, 3);
        let bad = Err::<(), _>(archive::Error::NoClaims).context("while verifying");
        let problem = Problem::of(&bad.unwrap_err());
        assert_eq!(problem.code, 5);
        assert!(
            problem
                .message
                .starts_with("while verifying: it has no claims")
        );
    }

    #[test]
    fn a_failure_as_context_decides() {
        let error = anyhow::Error::new(archive::Error::NoClaims)
            .context(Failure::usage("not this one").hint("another"));
        let problem = Problem::of(&error);
        assert_eq!(problem.code, 2);
        assert_eq!(problem.hint.as_deref(), Some("another"));
    }

    #[test]
    fn what_users_write_wrong_is_usage() {
        assert_eq!(problem("linux".parse::<Target>().unwrap_err()).code, 2);
        let reference = "ghcr.io/Org/x".parse::<oci::Reference>();
        assert_eq!(problem(reference.unwrap_err()).code, 2);
        let digest = "md5:0".parse::<crate::content::Digest>();
        assert_eq!(problem(digest.unwrap_err()).code, 2);
    }
}
