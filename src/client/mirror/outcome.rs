//! What became of what is mirrored.

use std::sync::Arc;

use crate::content::{Digest, ErrorKind};
use crate::oci::Reference;

use super::super::error::Error;
use super::super::tree::LeftOut;
use super::comparison::MirrorState;
use super::source::MirrorSource;

/// What became of one reference.
#[derive(Debug)]
#[non_exhaustive]
pub struct Mirrored {
    /// The reference that is deployed.
    pub reference: Reference,
    /// Its name in the mirror. `None`: it has none.
    pub destination: Option<Reference>,
    /// What the mirror has now, or why it is not there.
    pub outcome: Result<MirroredArtifact, Error>,
    /// Whether nothing was copied because of what the source is: its claims do not verify, or the lock, the trust policy
    /// or a pin refuses it. The outcome is an error then.
    pub is_refused: bool,
}

impl Mirrored {
    /// Returns that `source` was not mirrored because of an error that is the same for all.
    pub(super) fn failed(source: &MirrorSource, error: &Arc<Error>) -> Self {
        Self {
            reference: source.reference.clone(),
            destination: None,
            outcome: Err(Error::Shared(Arc::clone(error))),
            is_refused: false,
        }
    }

    /// Makes a failure of what was copied: the session in which all was written did not end well.
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
    /// What the mirror has.
    pub state: MirrorState,
    /// Whether it is a provider archive, or an index with one. The trust policy was asked about archives only.
    pub is_archive: bool,
    /// How many bytes were sent, or would be sent when nothing is copied.
    pub sent: u64,
    /// How many bytes the registry took over from another repository of its own.
    pub mounted: u64,
    /// How many bytes the mirror had already.
    pub existing: u64,
    /// What the manifests name and the source does not have.
    pub left_out: Vec<LeftOut>,
}

/// Why a reference is not in a mirror.
pub(super) enum Failure {
    /// The source may not be used.
    Refused(Error),
    Failed(Error),
}

impl Failure {
    /// Returns the failure to approve a source.
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
