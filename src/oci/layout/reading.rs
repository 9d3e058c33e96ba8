//! What every layout can be asked for, in a directory or in a file.

use async_trait::async_trait;

use crate::content::{Descriptor, ReadStorage};

use super::super::error::Error;
use super::index::Index;

/// A layout that is read.
#[async_trait]
pub(crate) trait ReadLayout: ReadStorage {
    /// Returns the list of the manifests.
    async fn index(&self) -> Result<Index, Error>;

    /// Returns the only manifest of the layout, whatever its name.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when the layout has several, and [`Error::NotInLayout`] when it is empty.
    async fn only(&self) -> Result<Descriptor, Error> {
        self.index().await?.only()
    }

    /// Returns the tags of the layout, sorted. Of a layout without tags, returns the whole references that other tools
    /// have written as names.
    async fn tags(&self) -> Result<Vec<String>, Error> {
        Ok(self.index().await?.tags())
    }
}
