//! Mirror: copies the artifacts of a deployment, with their attachments, to another place under their full names.
//!
//! A `Task` checks a reference against the policy, compares it with the mirror, and copies what is missing.

mod approval;
mod attached;
mod claimed;
mod comparison;
mod destination;
mod hosts;
mod names;
mod options;
mod outcome;
mod place;
mod source;
mod task;

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::content::Push;
use crate::oci::LayoutReference;

use super::client::Client;
use super::error::Error;

use claimed::ClaimedNames;
pub use comparison::MirrorState;
pub use destination::MirrorDestination;
pub use hosts::MirrorHosts;
pub use options::MirrorOptions;
pub use outcome::{Mirrored, MirroredArtifact};
pub use source::MirrorSource;
use task::Task;

/// How many references are mirrored at a time.
const AT_ONCE: usize = 4;

impl Client {
    /// Copies the artifacts of `sources` to `mirror`, under their full names. Returns an outcome for each source, in the
    /// order of `sources`. If one source fails, the others are still copied.
    ///
    /// Before a source is copied, each of its provider archives is checked against the lock, the trust policy and the
    /// pins. Nothing of a refused source is copied. Nothing is pinned. Other artifacts, such as WebAssembly components, are
    /// copied without this check. They are refused if a [provider](MirrorSource::is_provider) is expected, if the client
    /// has a [lock](Self::with_lock), or if the repository is pinned.
    ///
    /// An archive whose manifest does not carry its claims is downloaded into the cache first.
    ///
    /// Content that the mirror has already is not sent again, so another call continues an interrupted one. With
    /// [`MirrorOptions::compare_only`], nothing is copied.
    pub async fn mirror(
        &self,
        sources: &[MirrorSource],
        mirror: &MirrorDestination,
        options: MirrorOptions,
    ) -> Vec<Mirrored> {
        self.mirror_from(self, sources, mirror, options).await
    }

    /// [Mirrors](Self::mirror) from sources that the client `reader` reads, with its credentials, its trust policy and its
    /// lock.
    pub(crate) async fn mirror_from(
        &self,
        reader: &Self,
        sources: &[MirrorSource],
        mirror: &MirrorDestination,
        options: MirrorOptions,
    ) -> Vec<Mirrored> {
        let session = match mirror.session().await {
            Ok(session) if !options.compare_only => session,
            Ok(_) => None,
            Err(error) => {
                let error = Arc::new(error);
                let failed = sources
                    .iter()
                    .map(|source| Mirrored::failed(source, &error));
                return failed.collect();
            }
        };
        let layouts = Arc::default();
        let task = Task {
            reader: reader.sharing_layouts(&layouts),
            writer: self.sharing_layouts(&layouts),
            mirror: mirror.clone(),
            session: session.clone(),
            claimed: ClaimedNames::default(),
            options,
        };
        let tasks = sources.iter().cloned();
        // The futures are collected first, because the stream must not borrow from the caller.
        let tasks: Vec<_> = tasks.map(|source| task.clone().run(source)).collect();
        let mut mirrored: Vec<_> = stream::iter(tasks).buffered(AT_ONCE).collect().await;
        if let Some(session) = session
            && let Err(error) = session.finish().await
        {
            let error = Arc::new(error.into());
            for mirrored in &mut mirrored {
                mirrored.take_back(&error);
            }
        }
        mirrored
    }

    /// Returns a source for each name in an image layout that holds a mirror, so that its content can be mirrored to another
    /// place. A source whose name is not a whole reference cannot be mirrored.
    ///
    /// # Errors
    ///
    /// [`Error`] of the layout.
    pub async fn mirrored_in(&self, layout: &LayoutReference) -> Result<Vec<MirrorSource>, Error> {
        MirrorSource::all_in(layout).await
    }

    /// Returns a `hosts.toml` for each registry of `sources`. With it, hosts read the content of that registry from
    /// `mirror`. Empty if `mirror` is an image layout.
    ///
    /// # Errors
    ///
    /// [`Error`] of the configuration for the registry of the mirror, such as a `hosts.toml` that cannot be read.
    pub async fn mirror_hosts(
        &self,
        sources: &[MirrorSource],
        mirror: &MirrorDestination,
    ) -> Result<Vec<MirrorHosts>, Error> {
        let references = sources.iter().map(|source| &source.reference);
        MirrorHosts::of(self, mirror, references).await
    }
}
