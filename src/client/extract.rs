//! Extract: from a reference to a file with one verified executable.

use std::path::Path;

use crate::archive::Target;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;
use super::inspect::Inspected;
use super::lookup::Lookup;

impl Client {
    /// Verifies everything in the archive that `reference` stands for, then writes the executable for `target`
    /// to `destination`, with the permission bits `mode`. Of an image index, the manifest for `target` is used.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, %target, digest))]
    pub async fn extract(
        &self,
        reference: &Reference,
        target: &Target,
        destination: &Path,
        mode: u32,
    ) -> Result<Inspected, Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, target).await?;
        let contents = lookup
            .with_archive(|archive| lookup.extract(archive, target, destination.to_owned(), mode))
            .await?;
        lookup.record(&contents.claims, None).await;
        let digest = lookup.digest();
        Ok(Inspected {
            digest,
            archive: lookup.archive_digest(),
            contents,
        })
    }
}
