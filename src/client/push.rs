//! Push: from a file to a reference.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::archive::{self, Compression, Contents, verify};
use crate::content::{Descriptor, Digest, DigestReader, MeteredReader, Silent, open_regular};
use crate::oci::{Artifact, Reference, media_type};

use super::copy::copy;
use super::error::Error;
use super::{Access, Client, annotations, blocking};

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
        named(reference)?;
        annotations::check(annotations)?;
        let path = path.to_owned();
        let verified = self.describe(path.clone()).await?;
        let title = path.file_name().and_then(|name| name.to_str());
        self.upload(&path, title, verified, reference, annotations)
            .await
    }

    /// [Pushes](Self::push) an archive that can be read only once, such as standard input. It is kept in
    /// a temporary file of the user's own while it is verified and sent, and is titled after the
    /// repository.
    ///
    /// `name` stands for the input in errors, as a path does. No more of it is kept than
    /// [`Limits::total`](crate::archive::Limits::total) bytes.
    ///
    /// The input is read on a thread of its own: dropping the future does not wait for it, and removes
    /// the file.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), or [`Error::Write`] for the temporary file.
    pub async fn push_from(
        &self,
        input: impl Read + Send + 'static,
        name: &str,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        named(reference)?;
        annotations::check(annotations)?;
        let spool = tempfile::NamedTempFile::with_prefix("par-")
            .map_err(Error::write(&std::env::temp_dir()))?;
        // The file is removed with its path, which stays here: the thread may wait for its input for
        // ever.
        let (file, path) = spool.into_parts();
        let (sender, verified) = tokio::sync::oneshot::channel();
        let (client, name) = (self.clone(), name.to_owned());
        std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || {
                let meter = client.progress.begin("verifying", 0);
                let input = Spooling {
                    input: MeteredReader::new(input, meter),
                    file,
                    room: client.limits.total,
                };
                // Nobody waits any more when the future was dropped.
                let _ = sender.send(client.examine(input, Path::new(&name)));
            })
            .map_err(Error::write(&path))?;
        let verified = verified.await.map_err(|_| Error::Abandoned)??;
        let compression = match verified.1.compressed {
            true => Compression::Gzip,
            false => Compression::None,
        };
        let title = format!("{}.{}", reference.file_stem(), compression.extension());
        self.upload(
            &path.to_path_buf(),
            Some(&title),
            verified,
            reference,
            annotations,
        )
        .await
    }

    /// Sends what the store does not have.
    async fn upload(
        &self,
        path: &PathBuf,
        title: Option<&str>,
        (layer, contents): (Descriptor, Contents),
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        // Where its own users would refuse it, it is not put.
        self.trust.check(&contents.claims, reference)?;
        let annotations = annotations::complete(annotations, &contents.claims, path).await?;
        let artifact = Artifact::build(&layer, title, &annotations);
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
        copy(path, store, &layer, "uploading", self.progress.as_ref()).await?;
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
            client.examine(MeteredReader::new(file, meter), &path)
        })
        .await
    }

    /// Verifies an archive and works out its descriptor while it is read.
    fn examine(&self, input: impl Read, name: &Path) -> Result<(Descriptor, Contents), Error> {
        let mut input = DigestReader::new(input);
        let contents = verify(&mut input, &self.limits).map_err(|error| error.in_archive(name))?;
        Ok((input.finish(media_type::PROVIDER_ARCHIVE_LAYER), contents))
    }
}

fn named(reference: &Reference) -> Result<(), Error> {
    match reference.name() {
        Some(_) => Ok(()),
        None => Err(Error::Unnamed(reference.to_string())),
    }
}

/// Keeps what is read in a file.
struct Spooling<R> {
    input: R,
    file: File,
    /// How many bytes more there may be: a stream can go on for ever and inflate to nothing.
    room: u64,
}

impl<R: Read> Read for Spooling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.room = self
            .room
            .checked_sub(count as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.write_all(bytes).map_err(|error| {
            let place = std::env::temp_dir();
            let message = format!("cannot keep it in {}: {error}", place.display());
            io::Error::new(error.kind(), message)
        })?;
        Ok(count)
    }
}
