//! What a mirror lacks.

use crate::content::{Digest, Stored};
use crate::oci::Reference;

use super::super::client::Client;
use super::super::error::Error;
use super::approval::Approved;
use super::attached::AttachedComparison;
use super::place::MirrorPlace;

/// What a reference in a mirror is, compared with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MirrorState {
    /// The mirror has everything, under the right name.
    Present,
    /// Something was copied, and the mirror has everything now.
    Copied,
    /// The mirror has nothing under this name.
    Missing,
    /// The mirror has something else under this name.
    Different {
        /// The digest of what it has.
        actual: Digest,
    },
    /// The mirror has the manifest under this name, and lacks something that belongs to it.
    Incomplete,
}

/// Compares what is under the name of `target` with what was approved, which `reader` reads. With `counting`, the bytes are
/// counted that are missing, also if there is nothing under the name.
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
            // Everything is there, and the manifest is sent to give it the name.
            let root = approved.root.size;
            stored.existing = stored.existing.saturating_sub(root);
            stored.sent = root;
            (state, stored)
        }
        state => (state, stored),
    })
}
