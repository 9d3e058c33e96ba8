//! Tags: the tags of a repository or an image layout.

use crate::oci::Reference;

use super::Client;
use super::error::Error;
use super::lookup::open_layout;
use super::options::PullPolicy;

impl Client {
    /// Returns all tags of the repository or image layout that `reference` is in, sorted. In a layout, whole references
    /// that other tools write as names (`ghcr.io/org/provider:1.0`) are among them.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout. [`Error::NotCached`] for a registry with
    /// [`PullPolicy::Never`]: the cache does not know all tags.
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn tags(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        match reference {
            Reference::Registry(_) if self.pull == PullPolicy::Never => {
                Err(Error::NotCached(format!("the list of tags of {reference}")))
            }
            Reference::Registry(place) => Ok(self.registries.repository(place).tags().await?),
            Reference::Layout(place) => Ok(open_layout(place).await?.tags().await?),
        }
    }
}
