//! Storing content: sending what the registry lacks, and comparing what it holds then.

use bytes::Bytes;

use crate::content::{Algorithm, Descriptor, Digest, Source, Stored};
use crate::oci::error::Error;
use crate::oci::manifest::verify;

use super::super::http::Scope;
use super::super::repository_endpoint::RepositoryEndpoint;
use super::manifest::send_manifest;
use super::mount::{Mounted, mount};
use super::stored::compare_stored;
use super::stream::send_blob;

/// Stores a blob, unless the registry has it: from the repository `from` of this registry when the
/// registry allows that, else from `source`.
pub(crate) async fn store_blob(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    from: Option<&str>,
    source: &dyn Source,
) -> Result<Stored, Error> {
    if repository.has(content, Scope::PUSH).await? {
        return Ok(Stored::existing(content.size));
    }
    let from = from.filter(|from| *from != repository.name);
    let mounted = match from {
        Some(from) => mount(repository, content, from).await,
        None => Mounted::No,
    };
    let session = match mounted {
        Mounted::Yes => {
            return Ok(Stored {
                mounted: content.size,
                ..Stored::default()
            });
        }
        Mounted::Opened(session) => Some(session),
        Mounted::No => None,
    };
    let existing = send_blob(repository, content, session, source).await?;
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())?;
    Ok(Stored {
        sent: content.size.saturating_sub(existing),
        existing,
        mounted: 0,
    })
}

/// What is known about a manifest after it was sent.
#[derive(Debug, Default)]
pub(crate) struct StoredManifest {
    /// The subject for which the registry says that it lists the manifest.
    pub(crate) subject: Option<Digest>,
    /// Whether the manifest has to be [checked](check_manifest). It was there before, otherwise.
    pub(crate) is_sent: bool,
    /// Whether the registry has named the digest of what it stored.
    pub(crate) is_named: bool,
}

/// Stores a manifest under `tag`, or under its digest, in one request. The caller checks what the registry holds then.
pub(crate) async fn store_manifest(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    bytes: &Bytes,
    tag: Option<&str>,
) -> Result<StoredManifest, Error> {
    let digest = content.digest.to_string();
    verify(content, bytes, || format!("manifest {digest}"))?;
    // A registry knows a manifest that it gets under a tag by its SHA-256 digest alone.
    let by_digest = tag.is_none() || content.digest.algorithm() != Algorithm::Sha256;
    let mut stored = StoredManifest::default();
    if by_digest {
        if !repository.has(content, Scope::PUSH).await? {
            let sent = send_manifest(repository, content, bytes.clone(), &digest).await?;
            stored = StoredManifest {
                subject: sent.subject,
                is_sent: true,
                is_named: sent.is_named,
            };
        } else if tag.is_none() {
            return Ok(stored);
        }
    }
    if let Some(tag) = tag {
        let sent = send_manifest(repository, content, bytes.clone(), tag).await?;
        stored = StoredManifest {
            subject: sent.subject.or(stored.subject),
            is_sent: true,
            is_named: sent.is_named,
        };
    }
    Ok(stored)
}

/// Compares a manifest that was sent with what the registry holds.
pub(crate) async fn check_manifest(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
) -> Result<(), Error> {
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())
}
