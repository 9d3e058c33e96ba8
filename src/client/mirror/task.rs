//! Mirroring one reference.

use std::sync::Arc;

use crate::content::{Push, Stored};
use crate::oci::{LayoutFilePart, LayoutFileWriter};

use super::super::client::Client;
use super::super::copy::CopyOptions;
use super::super::error::Error;
use super::super::lookup::push_storage;
use super::super::publisher::Publisher;
use super::super::tagging::{TagIdentity, Tagging};
use super::super::transfer::LeftOut;
use super::approval::Approved;
use super::claimed::ClaimedNames;
use super::comparison::{MirrorState, compare};
use super::destination::MirrorDestination;
use super::options::MirrorOptions;
use super::outcome::{Failure, Mirrored, MirroredArtifact};
use super::place::MirrorPlace;
use super::source::{MirrorSource, Named};

/// The task of mirroring references: everything that they have in common.
#[derive(Clone)]
pub(super) struct Task {
    /// The client that reads the sources. Its lock, trust policy and pins are checked.
    pub(super) reader: Client,
    pub(super) writer: Client,
    pub(super) mirror: MirrorDestination,
    /// The storage of the mirror, if everything is written in one session.
    pub(super) session: Option<Arc<LayoutFileWriter>>,
    pub(super) claimed: ClaimedNames,
    pub(super) options: MirrorOptions,
}

impl Task {
    /// Mirrors one source.
    #[tracing::instrument(name = "mirror", skip_all, fields(reference = %source.reference, digest))]
    pub(super) async fn run(self, source: MirrorSource) -> Mirrored {
        let target = match self.mirror.name_of(&source.reference) {
            Ok(target) => target,
            Err(error) => {
                return Mirrored {
                    reference: source.reference,
                    destination: None,
                    outcome: Err(error),
                    is_refused: false,
                };
            }
        };
        let named = Named {
            source: &source,
            target,
        };
        let (outcome, is_refused) = match self.artifact(&named).await {
            Ok(artifact) => (Ok(artifact), false),
            Err(Failure::Refused(error)) => (Err(error), true),
            Err(Failure::Failed(error)) => (Err(error), false),
        };
        Mirrored {
            destination: Some(named.target),
            reference: source.reference,
            outcome,
            is_refused,
        }
    }

    async fn artifact(&self, named: &Named<'_>) -> Result<MirroredArtifact, Failure> {
        let reader = self.reader.not_reading_from(&named.target, &self.writer);
        let reader = reader.await?;
        let approved = Approved::of(&reader, named).await;
        let approved = approved.map_err(Failure::approving)?;
        let digest = &approved.root.digest;
        self.claimed.claim(&named.reference, digest)?;
        let place = MirrorPlace::open(&self.writer, &named.target).await?;
        let counting = self.options.compare_only;
        let sides = (&approved, &reader);
        let compared = compare(&place, &named.target, sides, counting).await?;
        let (state, stored, left_out) = match compared {
            (MirrorState::Present, stored) => (MirrorState::Present, stored, Vec::new()),
            (state, stored) if self.options.compare_only => {
                self.require_identity(named, &approved, &state).await?;
                (state, stored, Vec::new())
            }
            _ => self.copy(named, &approved).await?,
        };
        Ok(MirroredArtifact {
            digest: approved.root.digest,
            state,
            is_archive: approved.is_archive,
            sent: stored.sent,
            mounted: stored.mounted,
            existing: stored.existing,
            left_out,
        })
    }

    /// Refuses a difference that the copy would refuse, if the options say so.
    async fn require_identity(
        &self,
        named: &Named<'_>,
        approved: &Approved,
        state: &MirrorState,
    ) -> Result<(), Error> {
        let MirrorOptions {
            change_identity,
            refuse_as_mirror,
            ..
        } = self.options;
        if change_identity || !refuse_as_mirror || !matches!(state, MirrorState::Different { .. }) {
            return Ok(());
        }
        let Some((root, bytes)) = approved.tree.manifests.last() else {
            return Ok(());
        };
        let (writer, to) = (
            &self.writer,
            push_storage(&self.writer, &named.target).await?,
        );
        let tagging = Tagging::new(&named.target, [], false)?.with_own_tag();
        let tags = tagging.changes(to.as_ref(), &root.digest).await?;
        let identity = TagIdentity::new(writer, &tagging, to.as_ref());
        let publisher = async || {
            let from = approved.storage(&self.reader).await?;
            let (root, bytes) = (root.clone(), bytes.clone());
            Publisher::of(writer, &approved.place, from.as_ref(), root, bytes).await
        };
        identity.keep(&tags, &root.digest, publisher).await
    }

    async fn copy(
        &self,
        named: &Named<'_>,
        approved: &Approved,
    ) -> Result<(MirrorState, Stored, Vec<LeftOut>), Failure> {
        let options = CopyOptions::default().change_identity(self.options.change_identity);
        let (from, to) = (&approved.place, &named.target);
        let (writer, reader) = (&self.writer, &self.reader);
        let copied = match &self.session {
            Some(session) => {
                // The file must not have a part of a reference, so the part is added after everything was copied.
                let part = LayoutFilePart::new(Arc::clone(session));
                let copied = writer.copy_into(&part, reader, (from, to), options).await?;
                part.finish().await.map_err(Error::from)?;
                copied
            }
            None => writer.copy_from(reader, from, to, options).await?,
        };
        Ok((MirrorState::Copied, copied.stored, copied.left_out))
    }
}
