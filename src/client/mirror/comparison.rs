//! Comparing a mirror with its source.

use crate::content::{Digest, Stored};
use crate::oci::Reference;

use super::super::client::Client;
use super::super::error::Error;
use super::approval::Approved;
use super::attached::AttachedComparison;
use super::place::MirrorPlace;

/// The state of one reference in a mirror, compared with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MirrorState {
    /// The mirror has everything, under the right name.
    Present,
    /// Missing content was copied, and the mirror has everything now.
    Copied,
    /// The mirror has nothing under this name.
    Missing,
    /// The mirror has another manifest under this name.
    Different {
        /// The digest of the manifest in the mirror.
        actual: Digest,
    },
    /// The mirror has the manifest under this name, but lacks content or attachments of it.
    Incomplete,
}

/// Compares the manifest that `target` names in the mirror with the approved source, which `reader` reads. If the manifests
/// are equal, counts the bytes that the mirror lacks. With `counting`, also counts them if the manifests differ or if the
/// mirror has none.
pub(super) async fn compare(
    place: &MirrorPlace,
    target: &Reference,
    (approved, reader): (&Approved, &Client),
    counting: bool,
) -> Result<(MirrorState, Stored), Error> {
    let state = match place.digest_of(target).await? {
        None => MirrorState::Missing,
        Some(actual) if actual != approved.root.digest => MirrorState::Different { actual },
        Some(_) => MirrorState::Present,
    };
    if state != MirrorState::Present && !counting {
        return Ok((state, Stored::default()));
    }
    let stored = place.count(&approved.tree).await?;
    let from = approved.storage(reader).await?;
    let attached = AttachedComparison {
        from: from.as_ref(),
        source: &approved.place,
        place,
    };
    let mut stored = stored.and(attached.count(approved.tree.own_manifests()).await?);
    Ok(match state {
        MirrorState::Present if stored.sent > 0 => (MirrorState::Incomplete, stored),
        MirrorState::Missing | MirrorState::Different { .. } if stored.sent == 0 => {
            // All content exists. The manifest is still sent once more, to set the tag.
            let root = approved.root.size;
            stored.existing = stored.existing.saturating_sub(root);
            stored.sent = root;
            (state, stored)
        }
        state => (state, stored),
    })
}
