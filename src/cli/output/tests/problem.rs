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
fn a_malformed_argument_is_a_usage_error() {
    assert_eq!(problem("linux".parse::<Target>().unwrap_err()).code, 2);
    let reference = "ghcr.io/Org/x".parse::<oci::Reference>();
    assert_eq!(problem(reference.unwrap_err()).code, 2);
    let digest = "md5:0".parse::<crate::content::Digest>();
    assert_eq!(problem(digest.unwrap_err()).code, 2);
}
