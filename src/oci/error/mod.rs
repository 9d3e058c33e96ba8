//! Errors of registries, layouts and references.

mod answer;
mod client_certificate;
mod construct;
mod credential_helper;
mod kind;
mod oci_error;
mod proxy_error;
mod tls_problem;
mod upload_problem;
mod words;

pub use answer::Answer;
pub use client_certificate::ClientCertificateProblem;
pub use credential_helper::CredentialHelperError;
pub use oci_error::Error;
pub use proxy_error::ProxyError;
pub use tls_problem::TlsProblem;
pub use upload_problem::{UploadProblem, UrlPart};

pub(super) use super::one_line::one_line;
pub(super) use kind::may_pass;
