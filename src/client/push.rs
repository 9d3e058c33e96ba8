//! Push: from a file to a reference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::archive::{self, Contents, verify};
use crate::content::{Descriptor, Digest, DigestReader, MeteredReader, Silent, open_regular};
use crate::oci::{Artifact, Reference, media_type};

use super::copy::copy;
use super::error::Error;
use super::{Access, Client, blocking};

/// An archive that was verified and pushed.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// What it was pushed to.
    pub reference: Reference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive holds.
    pub contents: Contents,
}

impl Client {
    /// Verifies the archive at `path`, pushes it with `annotations` on its manifest, and lets the tag
    /// of `reference` stand for it, last. What the store has already is not sent again.
    ///
    /// A digest in `reference` is one that the manifest must come to have.
    ///
    /// # Errors
    ///
    /// [`Error`] of the archive, the trust policy or the registry; [`Error::OtherDigest`]. The tag
    /// stands for what it stood for before then.
    pub async fn push(
        &self,
        path: &Path,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        if reference.name().is_none() {
            return Err(Error::Unnamed(reference.to_string()));
        }
        let path = path.to_owned();
        let (layer, contents) = self.describe(path.clone()).await?;
        let title = path.file_name().and_then(|name| name.to_str());
        let artifact = Artifact::build(&layer, title, annotations);
        let manifest = artifact.descriptor();
        if let Some(expected) = reference.digest()
            && *expected != manifest.digest
        {
            return Err(Error::OtherDigest {
                reference: reference.to_string(),
                expected: expected.clone(),
                actual: manifest.digest.clone(),
            });
        }

        let store = self.store(reference, Access::Write)?;
        let store = store.as_ref();
        copy(&path, store, &layer, "uploading", self.progress.as_ref()).await?;
        let config = Bytes::from_static(Artifact::CONFIG_BODY);
        copy(&config, store, artifact.config(), "uploading", &Silent).await?;
        copy(artifact.manifest(), store, manifest, "uploading", &Silent).await?;
        if let Some(tag) = reference.tag() {
            store.tag(manifest, tag).await?;
        }
        Ok(Pushed {
            reference: reference.clone(),
            digest: manifest.digest.clone(),
            contents,
        })
    }

    /// Verifies the archive and works out its descriptor, in one pass over the file.
    async fn describe(&self, path: PathBuf) -> Result<(Descriptor, Contents), Error> {
        let client = self.clone();
        blocking(move || {
            let (file, size) = open_regular(&path).map_err(|source| archive::Error::Read {
                path: path.clone(),
                source,
            })?;
            let meter = client.progress.begin("verifying", size);
            let mut input = DigestReader::new(MeteredReader::new(file, meter));
            let contents =
                verify(&mut input, &client.limits).map_err(|error| error.in_archive(&path))?;
            client
                .trust
                .check(&contents.claims, &path.display().to_string())?;
            let layer = input.finish(media_type::PROVIDER_ARCHIVE_LAYER);
            Ok((layer, contents))
        })
        .await
    }
}
