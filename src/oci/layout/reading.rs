//! The interface for reading a layout in a directory or in a file.

use std::sync::Arc;

use async_trait::async_trait;

use crate::content::{Descriptor, ReadStorage, blocking};

use super::super::error::Error;
use super::index::Index;
use super::manifests::{Manifests, only};

/// A layout that can be read.
#[async_trait]
pub(crate) trait ReadLayout: ReadStorage {
    /// Returns the index and the manifests of the layout.
    async fn manifests(&self) -> Arc<dyn Manifests>;

    /// Returns the list of the manifests.
    async fn index(&self) -> Result<Index, Error> {
        let manifests = self.manifests().await;
        blocking(move || manifests.read_index()).await
    }

    /// Returns the only manifest of the layout, with or without a name. Manifests that belong to another manifest do
    /// not count.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when the layout has several manifests, and [`Error::NotInLayout`] when it is empty.
    async fn only(&self) -> Result<Descriptor, Error> {
        let manifests = self.manifests().await;
        blocking(move || only(manifests.as_ref())).await
    }

    /// Returns the tags of the layout, sorted. If all tags of the layout have the form of digests, the list also has
    /// the names of other tools that are whole references.
    async fn tags(&self) -> Result<Vec<String>, Error> {
        Ok(self.index().await?.tags())
    }

    /// Returns each name with its manifest, sorted by name. The names are tags, and whole references that other tools
    /// wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when several manifests have the same name.
    async fn named(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.index().await?.named()
    }
}
