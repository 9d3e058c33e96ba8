//! The errors for answers that are not a success.

use reqwest::Method;

use crate::oci::error::{Answer, Error, UploadProblem};

use super::super::http::Request;

/// Returns the error for an answer 404. For a read or a deletion, it means that the content is missing. For a write, it
/// means that the repository does not exist, or has another reason.
pub(super) fn not_found(request: &Request, answer: Box<Answer>) -> Error {
    let (what, registry) = (request.what.clone(), request.registry.clone());
    let names_repository = answer.code.as_deref() == Some("NAME_UNKNOWN");
    if request.is_read() || request.method == Method::DELETE {
        Error::NotFound {
            what,
            registry,
            answer,
        }
    } else if request.method == Method::POST || names_repository {
        Error::Upload {
            what,
            registry,
            problem: UploadProblem::NoRepository { answer },
        }
    } else {
        refused(request, answer)
    }
}

/// Returns the error for a refusal without a specific error.
pub(super) fn refused(request: &Request, answer: Box<Answer>) -> Error {
    Error::Refused {
        what: request.what.clone(),
        registry: request.registry.clone(),
        answer,
    }
}
