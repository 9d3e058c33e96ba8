//! The outcome for each mirrored reference.

use std::sync::Arc;

use crate::content::{Digest, ErrorKind};
use crate::oci::Reference;

use super::super::error::Error;
use super::super::transfer::LeftOut;
use super::comparison::MirrorState;
use super::source::MirrorSource;

/// The outcome for one reference.
#[derive(Debug)]
#[non_exhaustive]
pub struct Mirrored {
    /// The reference that is deployed.
    pub reference: Reference,
    /// The name of the reference in the mirror. `None`: it has none.
    pub destination: Option<Reference>,
    /// The state of the artifact in the mirror, or the error that stopped the copy.
    pub outcome: Result<MirroredArtifact, Error>,
    /// Whether the source was refused, and nothing of it was copied: its claims do not verify, or the lock, the trust policy
    /// or a pin refuses it. If so, `outcome` is an error.
    pub is_refused: bool,
}

impl Mirrored {
    /// Returns the outcome of a source that was not mirrored because of `error`, which all sources share.
    pub(super) fn failed(source: &MirrorSource, error: &Arc<Error>) -> Self {
        Self {
            reference: source.reference.clone(),
            destination: None,
            outcome: Err(Error::Shared(Arc::clone(error))),
            is_refused: false,
        }
    }

    /// Replaces the outcome of a copied artifact by `error`: the session that all copies were written in has failed.
    pub(super) fn take_back(&mut self, error: &Arc<Error>) {
        let is_copied = |artifact: &MirroredArtifact| artifact.state == MirrorState::Copied;
        if self.outcome.as_ref().is_ok_and(is_copied) {
            self.outcome = Err(Error::Shared(Arc::clone(error)));
        }
    }
}

/// An artifact that a mirror has, or lacks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MirroredArtifact {
    /// The digest of the manifest, or of the index, in the source.
    pub digest: Digest,
    /// The state of the artifact in the mirror.
    pub state: MirrorState,
    /// Whether the artifact is a provider archive, or an index with one. The trust policy is checked only for archives.
    pub is_archive: bool,
    /// How many bytes were sent. With [`compare_only`](super::MirrorOptions::compare_only), how many would be sent.
    pub sent: u64,
    /// How many bytes the registry mounted from another of its repositories.
    pub mounted: u64,
    /// How many bytes the mirror had already.
    pub existing: u64,
    /// The content that the manifests name, but that the source does not have.
    pub left_out: Vec<LeftOut>,
}

/// The reason why a reference is not in a mirror.
pub(super) enum Failure {
    /// The source may not be used.
    Refused(Error),
    Failed(Error),
}

impl Failure {
    /// Returns the failure for an error of the check of a source.
    pub(super) fn approving(error: Error) -> Self {
        if error.kind() == ErrorKind::NotVerified {
            Self::Refused(error)
        } else {
            Self::Failed(error)
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
