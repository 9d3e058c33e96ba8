//! Which tags there are.

use crate::oci::RegistryReference;

use super::Client;
use super::error::Error;

impl Client {
    /// All tags of the repository that `reference` is in, sorted.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry.
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn tags(&self, reference: &RegistryReference) -> Result<Vec<String>, Error> {
        Ok(self.registries.repository(reference).tags().await?)
    }
}
