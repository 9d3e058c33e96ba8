//! Registries and OCI image layouts.
//!
//! This layer finds content by a [`Reference`], moves it to and from a registry ([`Registries`],
//! [`Repository`]) or a folder ([`Layout`]), and knows what the manifest of a provider archive looks
//! like ([`Artifact`]). It knows media types, not what is inside an archive: the bytes of a layer are
//! somebody else's business.
//!
//! Everything that comes from the network is bounded, and checked against what was asked for, before
//! anybody gets to see it; the exception is [`Fetch::open`](crate::content::Fetch::open), whose reader
//! verifies.

mod answer;
mod artifact;
mod credentials;
mod error;
mod hosts;
mod layout;
mod manifest;
pub mod media_type;
mod names;
mod one_line;
mod reference;
mod registry;
mod tls_problem;

pub use artifact::{Artifact, choose_from_index};
pub use credentials::{CredentialHelperError, CredentialSource, Credentials, Kept};
pub use error::{Answer, Error, TlsProblem};
pub use hosts::ClientCertificate;
pub use layout::Layout;
pub(crate) use manifest::{children, read_manifest};
pub use reference::{LayoutReference, ParseReferenceError, Place, Reference, RegistryReference};
pub(crate) use registry::OpenUpload;
pub(crate) use registry::probe::{Greeting, Probe, Wants};
pub use registry::{Referrer, Registries, RegistryOptions, Repository, RetryOptions};

/// The largest manifest that is read or written, in bytes: 4 MiB, the size that the OCI distribution
/// specification asks registries to accept ("Pushing Manifests").
pub const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// Runs work on files where it does not hold up other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(source) => Err(Error::Cancelled { source }),
    }
}
