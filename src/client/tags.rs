//! Which tags there are.

use crate::oci::{Layout, Reference};

use super::error::Error;
use super::{Client, blocking};

impl Client {
    /// All tags of the repository, or of the image layout, that `reference` is in, sorted.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout.
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn tags(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        match reference {
            Reference::Registry(place) => Ok(self.registries.repository(place).tags().await?),
            Reference::Layout(place) => {
                let directory = place.directory().to_owned();
                let layout = blocking(move || Ok(Layout::open(directory)?)).await?;
                Ok(layout.tags().await?)
            }
        }
    }
}
