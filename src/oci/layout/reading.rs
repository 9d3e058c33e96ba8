//! What every layout can be asked for, in a directory or in a file.

use std::sync::Arc;

use async_trait::async_trait;

use crate::content::{Descriptor, ReadStorage, blocking};

use super::super::error::Error;
use super::index::Index;
use super::manifests::{Manifests, only};

/// A layout that is read.
#[async_trait]
pub(crate) trait ReadLayout: ReadStorage {
    /// Returns the index and the manifests of the layout.
    async fn manifests(&self) -> Arc<dyn Manifests>;

    /// Returns the list of the manifests.
    async fn index(&self) -> Result<Index, Error> {
        let manifests = self.manifests().await;
        blocking(move || manifests.read_index()).await
    }

    /// Returns the only manifest of the layout, whatever its name. What belongs to another manifest does not count.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when the layout has several, and [`Error::NotInLayout`] when it is empty.
    async fn only(&self) -> Result<Descriptor, Error> {
        let manifests = self.manifests().await;
        blocking(move || only(manifests.as_ref())).await
    }

    /// Returns the tags of the layout, sorted. Of a layout without tags other than those of digests, returns the whole
    /// references that other tools have written as names, too.
    async fn tags(&self) -> Result<Vec<String>, Error> {
        Ok(self.index().await?.tags())
    }

    /// Returns every manifest that has a name, with that name, sorted by names: tags, and the whole references of other
    /// tools.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when a name stands for several manifests.
    async fn named(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.index().await?.named()
    }
}
