//! Tag: another name for a manifest.

use crate::content::{Descriptor, Resolve};
use crate::oci::Reference;

use super::Client;
use super::error::{Error, require_name};
use super::lookup::{named, open_layout};

impl Client {
    /// Moves `tag` to the manifest of `reference`, in the same repository or image layout. Creates
    /// the tag if it does not exist. Nothing but the manifest is uploaded.
    ///
    /// Mirrors are not asked, because they may be behind, and neither is the cache: the pull policy
    /// does not count.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout, or [`Error::Unnamed`].
    #[tracing::instrument(skip_all, fields(%reference, %tag))]
    pub async fn tag(&self, reference: &Reference, tag: &str) -> Result<Descriptor, Error> {
        reference.with_tag(tag)?;
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        match reference {
            Reference::Registry(place) => {
                let repository = self.registries.repository(place);
                Ok(repository.add_tag(&name, tag).await?)
            }
            Reference::Layout(place) => {
                let layout = open_layout(place).await?;
                let manifest = layout.resolve(&name).await?;
                layout.tag(&manifest, tag).await?;
                Ok(manifest)
            }
        }
    }
}
