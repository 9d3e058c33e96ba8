//! Comparing the content that a registry has stored with the content that was sent.

use crate::content::{Descriptor, Digest};
use crate::oci::error::Error;

use super::super::http::Announced;
use super::super::repository_endpoint::RepositoryEndpoint;

/// Compares the size and the digest that the registry announces with `sent`. A value that it does not announce is not
/// compared.
///
/// Some registries have reported a success although they stored only a part (JFrog Artifactory).
pub(crate) fn compare_stored(
    repository: &RepositoryEndpoint,
    sent: &Descriptor,
    stored: Option<&Announced>,
) -> Result<(), Error> {
    let Some(stored) = stored else {
        return Err(stored_differently(repository, sent, "nothing".to_owned()));
    };
    if let Some(size) = stored.size.filter(|size| *size != sent.size) {
        let actual = format!("{size} bytes, not {},", sent.size);
        return Err(stored_differently(repository, sent, actual));
    }
    match &stored.digest {
        Some(digest) if is_comparable(digest, sent) && *digest != sent.digest => {
            Err(stored_differently(repository, sent, digest.to_string()))
        }
        _ => Ok(()),
    }
}

/// Returns whether a digest that the registry announces can be compared with the digest of `sent`. The registry may use
/// another algorithm.
pub(super) fn is_comparable(digest: &Digest, sent: &Descriptor) -> bool {
    digest.algorithm() == sent.digest.algorithm()
}

pub(super) fn stored_differently(
    repository: &RepositoryEndpoint,
    sent: &Descriptor,
    actual: String,
) -> Error {
    Error::StoredDifferently {
        what: format!("content for {}", repository.location()),
        registry: repository.registry.clone(),
        expected: sent.digest.to_string(),
        actual,
    }
}
