//! Extract: from a reference to a file with one verified executable.

#[cfg(feature = "cli")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::archive::{RequestedTarget, Target};
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
    pub async fn extract(
        &self,
        reference: &Reference,
        target: &Target,
        destination: &Path,
        mode: u32,
    ) -> Result<Inspected, Error> {
        let destination = destination.to_owned();
        let destination = move |_: &Target| destination.clone();
        self.extract_requested(reference, &target.into(), destination, mode)
            .await
    }

    /// [Extracts](Self::extract) the executable that `target` means among those that the claims name. `destination`
    /// returns the path of the file for the target that was chosen.
    #[tracing::instrument(name = "extract", skip_all, fields(%reference, %target, digest))]
    pub(crate) async fn extract_requested(
        &self,
        reference: &Reference,
        target: &RequestedTarget,
        destination: impl Fn(&Target) -> PathBuf + Clone + Send + 'static,
        mode: u32,
    ) -> Result<Inspected, Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, target.usual()).await?;
        let contents = lookup
            .with_archive(|archive| lookup.extract(archive, target, destination.clone(), mode))
            .await?;
        lookup.record(&contents.claims, None).await;
        let digest = lookup.digest();
        Ok(Inspected {
            digest,
            archive: lookup.archive_digest(),
            contents,
            identity: lookup.admission().vouched_by(),
        })
    }

    /// Verifies everything in the archive that `reference` stands for, and writes each executable to a file in
    /// `directory`. Of an image index, the manifest for `target` is used. This does not count as use, as in
    /// [`inspect`](Self::inspect).
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[cfg(feature = "cli")]
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub(crate) async fn unpack(
        &self,
        reference: &Reference,
        target: &Target,
        directory: &Path,
    ) -> Result<(Inspected, BTreeMap<Target, PathBuf>), Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, target).await?;
        let (contents, files) = lookup
            .with_archive(|archive| lookup.unpack(archive, directory.to_owned()))
            .await?;
        let inspected = Inspected {
            digest: lookup.digest(),
            archive: lookup.archive_digest(),
            contents,
            identity: lookup.admission().vouched_by(),
        };
        Ok((inspected, files))
    }
}
