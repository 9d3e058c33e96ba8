//! Errors of registries, layouts and references.

mod advice;
mod answer;
mod credential_helper;
mod oci_error;
mod tls_problem;

pub use answer::Answer;
pub use credential_helper::CredentialHelperError;
pub use oci_error::Error;
pub use tls_problem::TlsProblem;

pub(super) use super::one_line::one_line;
