//! Sending content of any kind.

use crate::content::{Descriptor, Source};
use crate::oci::error::Error;
use crate::oci::manifest::read_manifest;
use crate::oci::media_type;

use super::super::http::Scope;
use super::super::repository_endpoint::RepositoryEndpoint;
use super::manifest::send_manifest;
use super::stored::compare_stored;
use super::stream::send_blob;

/// Sends content that the repository lacks, and checks that the registry has stored it.
///
/// # Errors
///
/// [`Error::StoredDifferently`], and everything that keeps a registry from accepting.
pub(crate) async fn send(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    source: &dyn Source,
) -> Result<(), Error> {
    if repository.has(content, Scope::PUSH).await? {
        return Ok(());
    }
    if media_type::is_manifest(&content.media_type) {
        let bytes = read_manifest(content, source).await?;
        let name = content.digest.to_string();
        send_manifest(repository, content, bytes, &name).await?;
    } else {
        send_blob(repository, content, source).await?;
    }
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())
}
