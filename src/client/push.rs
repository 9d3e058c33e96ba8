//! Push: from a file to a reference, in three steps. The archive is hashed, verified and uploaded.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use futures_util::future::join;

use crate::archive::{Contents, Index, verify_file};
use crate::content::{Descriptor, Digest, DigestReader, MeteredReader, Step};
use crate::oci::{Artifact, OpenUpload, Reference, media_type};

use super::error::{Error, require_digest, require_name};
use super::lookup::push_storage;
use super::metered::MeteredSource;
use super::mount::{neighbour, put_blob, remember};
use super::spool::spool;
use super::unchanged_file::{UnchangedFile, unreadable};
use super::{Client, annotations, blocking, note_digest};

/// An archive that was verified and pushed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pushed {
    /// The reference that it was pushed to.
    pub reference: Reference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive holds.
    pub contents: Contents,
}

impl Client {
    /// Verifies the archive at `path` and pushes it to `reference`, with `annotations` on its
    /// manifest. The tag of `reference` is moved to it in the last step. Blobs that the registry has
    /// are not sent again.
    ///
    /// The registry is asked first whether it takes uploads, so that a credential that it refuses is
    /// reported before the archive is read. Nothing is sent of an archive that does not verify.
    ///
    /// When `reference` has a digest, the manifest must come to have that digest.
    ///
    /// # Errors
    ///
    /// [`Error`] of the archive, also when it changes meanwhile, of the trust policy or of the
    /// registry; [`Error::OtherDigest`]. The tag is not moved then.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push(
        &self,
        path: &Path,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        let _turn = self.turn().await;
        let file = open(path).await?;
        let (push, access) = Push::begin(self, reference, annotations).await?;
        let layer = access.release_during(push.hash(&file)).await?;
        let contents = push.verify(&file).await?;
        let title = path.file_name().and_then(|name| name.to_str());
        push.upload(&file, &layer, title, contents).await
    }

    /// [Pushes](Self::push) an archive that can be read only once, such as standard input. The
    /// archive is kept in a temporary file that only this user can read. Its title is the name of
    /// the repository.
    ///
    /// `name` names the input in errors, as a path does. At most
    /// [`Limits::total`](crate::archive::Limits::total) bytes are kept.
    ///
    /// The input is read on a thread of its own: dropping the future does not wait for it, and removes
    /// the file.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), or [`Error::Write`] for the temporary file.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push_from(
        &self,
        input: impl Read + Send + 'static,
        name: &str,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        let (push, access) = Push::begin(self, reference, annotations).await?;
        // The archive is verified while it is kept: an input without an end is noticed.
        let (path, contents) = access.release_during(spool(self, input, name)).await?;
        // Not before: the input may never end.
        let _turn = self.turn().await;
        let file = open(&path).await?;
        let layer = push.hash(&file).await?;
        let compression = contents.compression;
        let title = format!("{}.{}", reference.file_stem(), compression.extension());
        push.upload(&file, &layer, Some(&title), contents).await
    }
}

/// One push: where an archive goes, and the annotations that its manifest gets.
struct Push<'a> {
    client: &'a Client,
    reference: &'a Reference,
    annotations: &'a BTreeMap<String, String>,
}

impl<'a> Push<'a> {
    /// Checks everything that can be checked without the archive.
    async fn begin(
        client: &'a Client,
        reference: &'a Reference,
        annotations: &'a BTreeMap<String, String>,
    ) -> Result<(Self, Access), Error> {
        require_name(reference)?;
        annotations::check(annotations)?;
        let access = match reference {
            Reference::Registry(place) => {
                let repository = client.registries.repository(place);
                Access(Some(repository.open_upload().await?))
            }
            Reference::Layout(_) => Access(None),
        };
        let push = Self {
            client,
            reference,
            annotations,
        };
        Ok((push, access))
    }

    /// Hashes the archive: returns the descriptor of its layer.
    async fn hash(&self, file: &UnchangedFile) -> Result<Descriptor, Error> {
        const BUFFER: usize = 256 * 1024;
        let file = file.clone();
        let hashing = self.client.blocking(move |client| {
            let meter = client.progress.begin(Step::Hashing, file.size());
            let input = DigestReader::new(MeteredReader::new(file.reader()?, meter));
            let mut input = BufReader::with_capacity(BUFFER, input);
            io::copy(&mut input, &mut io::sink()).map_err(unreadable(file.path()))?;
            let input = input.into_inner();
            Ok(input.finish(media_type::PROVIDER_ARCHIVE_LAYER))
        });
        hashing.await
    }

    /// Verifies the archive, on all cores.
    async fn verify(&self, file: &UnchangedFile) -> Result<Contents, Error> {
        let file = file.clone();
        let verifying = self.client.blocking(move |client| {
            let mut input = file.reader()?;
            let contents = verify_file(&mut input, &client.limits, client.progress.as_ref());
            Ok(contents.map_err(|error| error.in_archive(file.path()))?)
        });
        verifying.await
    }

    /// Uploads the archive, which is verified, and then its manifest with the tag.
    async fn upload(
        &self,
        file: &UnchangedFile,
        layer: &Descriptor,
        title: Option<&str>,
        contents: Contents,
    ) -> Result<Pushed, Error> {
        let (client, reference) = (self.client, self.reference);
        client.trust.check(&contents.claims, reference)?;
        let artifact = self.artifact(file, layer, title, &contents).await?;
        let storage = push_storage(client, reference).await?;

        let from = neighbour(client, reference, &layer.digest).await;
        let source = MeteredSource::new(file, layer, Step::Uploading, client.progress.as_ref());
        put_blob(storage.as_ref(), layer, from.as_deref(), &source).await?;
        let config = Bytes::from_static(Artifact::CONFIG_BODY);
        storage.put_blob(artifact.config(), &config).await?;
        let manifest = artifact.descriptor();
        storage
            .put_manifest(manifest, artifact.manifest(), reference.tag())
            .await?;

        remember(client, reference, artifact.layers()).await;
        Ok(Pushed {
            reference: reference.clone(),
            digest: manifest.digest.clone(),
            contents,
        })
    }

    /// Builds the manifest, and checks that it has the digest of the reference.
    async fn artifact(
        &self,
        file: &UnchangedFile,
        layer: &Descriptor,
        title: Option<&str>,
        contents: &Contents,
    ) -> Result<Artifact, Error> {
        let file = file.clone();
        let locating = self.client.blocking(move |client| {
            let index = Index::locate(&mut file.reader()?, &client.limits);
            Ok(index.map_err(|error| error.in_archive(file.path()))?)
        });
        let index = locating.await?;
        let annotations = annotations::complete(self.annotations, &contents.claims, index.as_ref());
        let artifact = Artifact::build(layer, title, &annotations);
        let actual = &artifact.descriptor().digest;
        note_digest(actual);
        require_digest(self.reference, self.reference.digest(), actual)?;
        Ok(artifact)
    }
}

/// The upload that a registry has opened to tell that it takes uploads; `None` for an image layout.
struct Access(Option<OpenUpload>);

impl Access {
    /// Cancels the upload while `work` runs.
    async fn release_during<T>(self, work: impl Future<Output = T>) -> T {
        let release = async {
            if let Some(upload) = self.0 {
                upload.cancel().await;
            }
        };
        join(release, work).await.1
    }
}

async fn open(path: &Path) -> Result<UnchangedFile, Error> {
    let path = path.to_owned();
    blocking(move || UnchangedFile::open(&path)).await
}
