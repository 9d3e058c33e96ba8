//! Discover: lists the attachments of a manifest, and reads the content of an attachment.

use std::path::Path;

use bytes::Bytes;

use crate::content::{AtomicFile, Content, Descriptor, Step};
use crate::oci::{Reference, copy_blob};

use super::about::about;
#[cfg(feature = "sigstore")]
use super::attachments::verify_bundles;
use super::attachments::{AttachedReader, Discovered, Discovery};
use super::error::Error;
use super::lookup::{named, read_storage};
use super::require::require_name;
#[cfg(feature = "sigstore")]
use super::sigstore::SigstoreRoot;
use super::transfer::MeteredSource;
use super::{Client, blocking, note_digest};

impl Client {
    /// Returns the attachments of the manifest of `reference`, of the manifests of an index, and of attachments. This
    /// includes signatures, attestations and bills of materials that older tools have attached by tags such as
    /// `sha256-….sig`.
    ///
    /// This requests the manifest of each attachment and the list of its own attachments. The content of attachments is not
    /// downloaded: see [`read_attachment`](Self::read_attachment) and [`save_attachment`](Self::save_attachment). The cache
    /// is not used.
    ///
    /// ```no_run
    /// use wasmcloud_par::{Client, ClientOptions, Reference};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), wasmcloud_par::Error> {
    /// let client = Client::new(ClientOptions::default())?;
    /// let reference: Reference = "ghcr.io/org/provider:1.0.0".parse()?;
    /// for found in client.discover(&reference).await?.attached() {
    ///     println!("{} {}", found.manifest.digest, found.kind());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or the layout; [`Error::Unnamed`]; [`Error::NotCached`] with
    /// [`PullPolicy::Never`](super::PullPolicy::Never), because the cache holds no attachments.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn discover(&self, reference: &Reference) -> Result<Discovered, Error> {
        let found = named(reference).await?;
        let found = found.as_ref();
        let name = require_name(found)?;
        let store = read_storage(self, found).await?;
        let attached = AttachedReader::new(store.as_ref());
        let unknown = || Error::NotCached(format!("what is attached to {reference}"));
        let attached = attached.ok_or_else(unknown)?;
        let discovery = Discovery::new(store.as_ref(), attached, found);
        let (root, complete) = discovery.run(&name).await?;
        note_digest(&root.manifest.digest);
        Ok(Discovered {
            reference: reference.clone(),
            root,
            complete,
        })
    }

    /// Verifies the Sigstore bundles in `discovered`, and sets [`vouching`](super::DiscoveredManifest::vouching) of each of
    /// them. A bundle is accepted if it verifies against one of `roots`. The trust policy is not used: the caller decides
    /// whether an identity is trusted.
    ///
    /// This requests the content of each bundle. A bundle is refused without a request if it has more than 4 MiB, or if all
    /// bundles together have more than 64 MiB.
    ///
    /// # Errors
    ///
    /// [`Error`] of a registry that does not answer; [`Error::Trust`] for a trusted root that cannot be used.
    #[cfg(feature = "sigstore")]
    #[tracing::instrument(skip_all, fields(reference = %discovered.reference))]
    pub async fn verify_bundles(
        &self,
        discovered: Discovered,
        roots: &[SigstoreRoot],
    ) -> Result<Discovered, Error> {
        verify_bundles(self, discovered, roots).await
    }

    /// Returns the content of an attachment, after its digest was verified. `content` is a file of a manifest that was
    /// [discovered](Self::discover) at `reference`. `most` is the largest content that is read, in bytes.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or the layout, also when the content does not have its digest;
    /// [`Error::AttachmentTooLarge`].
    #[tracing::instrument(skip_all, fields(%reference, digest = %content.digest))]
    pub async fn read_attachment(
        &self,
        reference: &Reference,
        content: &Descriptor,
        most: u64,
    ) -> Result<Bytes, Error> {
        if content.size > most {
            return Err(Error::AttachmentTooLarge {
                digest: content.digest.clone(),
                size: content.size,
                limit: most,
            });
        }
        let store = read_storage(self, reference).await?;
        let mut bytes = Vec::new();
        let source = Content::new(store.as_ref(), content);
        let written = copy_blob(content, &source, &mut bytes).await?;
        // Writing to memory does not fail.
        written.map_err(Error::write(Path::new("")))?;
        Ok(bytes.into())
    }

    /// Writes the content of an attachment to the file `destination`, and replaces an existing file. The file gets its name
    /// after the content was verified.
    ///
    /// # Errors
    ///
    /// The errors of [`read_attachment`](Self::read_attachment), except the one for the size, and [`Error::Write`].
    #[tracing::instrument(skip_all, fields(%reference, digest = %content.digest))]
    pub async fn save_attachment(
        &self,
        reference: &Reference,
        content: &Descriptor,
        destination: &Path,
    ) -> Result<(), Error> {
        let client = about(self, reference);
        let failed = || Error::write(destination);
        let store = read_storage(&client, reference).await?;
        let path = destination.to_owned();
        let create = move || AtomicFile::create(&path).map_err(Error::write(&path));
        let file = blocking(create).await?;
        let to = file.as_file().try_clone().map_err(failed())?;
        let mut to = tokio::fs::File::from_std(to);
        let source = Content::new(store.as_ref(), content);
        let progress = client.progress.as_ref();
        let source = MeteredSource::new(&source, content, Step::Writing, progress);
        copy_blob(content, &source, &mut to)
            .await?
            .map_err(failed())?;
        let path = destination.to_owned();
        blocking(move || file.commit().map(drop).map_err(Error::write(&path))).await
    }
}
