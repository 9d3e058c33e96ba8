//! Storing content: sending content that the registry lacks, and checking that the registry has it afterwards.

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

/// When content has to be [checked](check_stored) after it was stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Check {
    /// The registry had the content before, or it was checked.
    #[default]
    Done,
    /// The content was sent, and the registry has named its digest.
    Later,
    /// The content was sent, and the registry has not named its digest.
    Now,
}

impl Check {
    /// Returns the check of content that was sent. `is_named` says whether the registry has named its digest.
    fn of_sent(is_named: bool) -> Self {
        if is_named { Self::Later } else { Self::Now }
    }
}

/// Stores a blob, unless the registry has it. Mounts it from the repository `from` of this registry if the registry
/// allows that, or else sends it from `source`.
pub(crate) async fn store_blob(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    from: Option<&str>,
    source: &dyn Source,
) -> Result<(Stored, Check), Error> {
    if repository.has(content, Scope::PUSH).await? {
        return Ok((Stored::existing(content.size), Check::Done));
    }
    let from = from.filter(|from| *from != repository.name);
    let mounted = match from {
        Some(from) => mount(repository, content, from).await,
        None => Mounted::No,
    };
    let session = match mounted {
        Mounted::Yes => {
            let stored = Stored {
                mounted: content.size,
                ..Stored::default()
            };
            return Ok((stored, Check::Done));
        }
        Mounted::Opened(session) => Some(session),
        Mounted::No => None,
    };
    let sent = send_blob(repository, content, session, source).await?;
    let stored = Stored {
        sent: content.size.saturating_sub(sent.existing),
        existing: sent.existing,
        mounted: 0,
    };
    Ok((stored, Check::of_sent(sent.is_named)))
}

/// The state of a manifest after it was stored.
#[derive(Debug, Default)]
pub(crate) struct StoredManifest {
    /// The subject, if the registry says that it has added the manifest to the referrers of the subject.
    pub(crate) subject: Option<Digest>,
    pub(crate) check: Check,
}

/// Stores a manifest under `tag`, or under its digest, in one request.
pub(crate) async fn store_manifest(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    bytes: &Bytes,
    tag: Option<&str>,
) -> Result<StoredManifest, Error> {
    let digest = content.digest.to_string();
    verify(content, bytes, || format!("manifest {digest}"))?;
    // When a manifest is sent under a tag, the registry knows only its SHA-256 digest.
    let by_digest = tag.is_none() || content.digest.algorithm() != Algorithm::Sha256;
    let mut stored = StoredManifest::default();
    if by_digest {
        if !repository.has(content, Scope::PUSH).await? {
            let sent = send_manifest(repository, content, bytes.clone(), &digest).await?;
            stored = StoredManifest {
                subject: sent.subject,
                check: Check::of_sent(sent.is_named),
            };
        } else if tag.is_none() {
            return Ok(stored);
        }
    }
    if let Some(tag) = tag {
        let sent = send_manifest(repository, content, bytes.clone(), tag).await?;
        stored = StoredManifest {
            subject: sent.subject.or(stored.subject),
            check: Check::of_sent(sent.is_named),
        };
    }
    Ok(stored)
}

/// Compares a blob or a manifest that was sent with what the registry holds.
pub(crate) async fn check_stored(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
) -> Result<(), Error> {
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())
}
