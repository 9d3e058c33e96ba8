//! Push: from a file to a reference.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};

use crate::archive::{
    self, Compression, Contents, Index, VerifiedClaims, read_claims, verify, verify_file,
};
use crate::content::{
    Descriptor, Digest, DigestReader, MeteredReader, Silent, Source, SteadyFile, Step, open_regular,
};
use crate::oci::{Artifact, Reference, media_type};

use super::blocking::Input;
use super::copy::copy;
use super::error::Error;
use super::mount::Neighbouring;
use super::verdict::{HeldBack, Verdict, while_verifying};
use super::{Access, Client, annotations, blocking, note_digest};

/// Up to this size, in bytes, an archive is verified sooner than a registry answers, and so before
/// anything is sent.
const SOON_VERIFIED: u64 = 4 << 20;

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
    /// A large archive is sent to a registry while it is verified, once its claims are; its end, its
    /// manifest and the tag wait until all of it is. What was sent of one that does not pass is an upload
    /// without an end, which the registry clears away.
    ///
    /// A digest in `reference` is one that the manifest must come to have.
    ///
    /// # Errors
    ///
    /// [`Error`] of the archive, also when it changes meanwhile, of the trust policy or of the registry;
    /// [`Error::OtherDigest`]. The tag stands for what it stood for before then.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push(
        &self,
        path: &Path,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        named(reference)?;
        annotations::check(annotations)?;
        let title = path.file_name().and_then(|name| name.to_str());
        let file = {
            let path = path.to_owned();
            blocking(move || SteadyFile::open(&path).map_err(unreadable(&path))).await?
        };
        let (claims, index) = self.on_file(&file, Self::begin).await?;
        // Where its own users would refuse it, it is not put.
        self.trust.check(&claims, reference)?;
        let annotations = annotations::complete(annotations, &claims, index.as_ref());
        let verifying = self.on_file(&file, Self::verify);
        let (contents, digest) = while_verifying(verifying, async |verdict| {
            let layer = self.on_file(&file, Self::describe).await?;
            let artifact = build(&layer, title, reference, &annotations)?;
            let large = file.size() > SOON_VERIFIED;
            if !large || matches!(reference, Reference::Layout(_)) {
                verdict.clone().wait().await?;
            }
            let source = HeldBack {
                path: path.to_owned(),
                verdict: verdict.clone(),
            };
            self.deliver(&source, &artifact, reference, verdict).await
        })
        .await?;
        Ok(Pushed {
            reference: reference.clone(),
            digest,
            contents,
        })
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
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push_from(
        &self,
        input: impl Read + Send + 'static,
        name: &str,
        reference: &Reference,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        named(reference)?;
        annotations::check(annotations)?;
        // The file is removed with its path, which stays here: the thread may wait for its input for
        // ever.
        let (file, path) = spool().await?;
        let name = name.to_owned();
        let examining = self.on_own_thread("spool", Input::Foreign, move |client| {
            let meter = client.progress.begin(Step::Verifying, 0);
            let input = Spooling {
                input: MeteredReader::new(input, meter),
                file,
                room: client.limits.total,
            };
            client.examine(input, Path::new(&name))
        });
        let (layer, contents) = examining.await?;
        let compression = match contents.compressed {
            true => Compression::Gzip,
            false => Compression::None,
        };
        self.trust.check(&contents.claims, reference)?;
        let index = {
            let path = path.to_path_buf();
            self.blocking(move |client| {
                let (mut file, _) = open_regular(&path).map_err(unreadable(&path))?;
                let index = Index::locate(&mut file, &client.limits);
                index.map_err(|error| error.in_archive(&path).into())
            })
            .await?
        };
        let annotations = annotations::complete(annotations, &contents.claims, index.as_ref());
        let title = format!("{}.{}", reference.file_stem(), compression.extension());
        let artifact = build(&layer, Some(&title), reference, &annotations)?;
        let source = path.to_path_buf();
        let digest = self
            .deliver(&source, &artifact, reference, Verdict::passed())
            .await?;
        Ok(Pushed {
            reference: reference.clone(),
            digest,
            contents,
        })
    }

    /// Sends what the store does not have: the archive now, the rest when it has passed. Gives the digest
    /// of the manifest.
    async fn deliver(
        &self,
        source: &dyn Source,
        artifact: &Artifact,
        reference: &Reference,
        verdict: Verdict,
    ) -> Result<Digest, Error> {
        let store = self.store(reference, Access::Write).await?;
        let store = store.as_ref();
        for layer in artifact.layers() {
            let place = self.neighbour(reference, &layer.digest).await;
            let source = &Neighbouring { source, place };
            copy(
                source,
                store,
                layer,
                Step::Uploading,
                self.progress.as_ref(),
            )
            .await?;
        }
        verdict.wait().await?;
        let config = Bytes::from_static(Artifact::CONFIG_BODY);
        copy(&config, store, artifact.config(), Step::Uploading, &Silent).await?;
        let manifest = artifact.descriptor();
        copy(
            artifact.manifest(),
            store,
            manifest,
            Step::Uploading,
            &Silent,
        )
        .await?;
        if let Some(tag) = reference.tag() {
            store.tag(manifest, tag).await?;
        }
        self.remember(reference, artifact.layers()).await;
        Ok(manifest.digest.clone())
    }

    /// Works on an archive where that does not block the host's runtime.
    async fn on_file<T: Send + 'static>(
        &self,
        file: &SteadyFile,
        work: fn(&Self, &SteadyFile) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let file = file.clone();
        self.blocking(move |client| work(client, &file)).await
    }

    /// What can be known of most archives without reading all of it: its verified claims, and where its
    /// entries are.
    fn begin(&self, file: &SteadyFile) -> Result<(VerifiedClaims, Option<Index>), Error> {
        let open = || file.reader().map_err(unreadable(file.path()));
        let claims =
            read_claims(open()?, &self.limits).map_err(|error| error.in_archive(file.path()))?;
        let index = Index::locate(&mut open()?, &self.limits)
            .map_err(|error| error.in_archive(file.path()))?;
        Ok((claims, index))
    }

    /// Verifies the archive in a file.
    fn verify(&self, file: &SteadyFile) -> Result<Contents, Error> {
        let mut input = file.reader().map_err(unreadable(file.path()))?;
        let contents = verify_file(&mut input, &self.limits, self.progress.as_ref())
            .map_err(|error| error.in_archive(file.path()))?;
        Ok(contents)
    }

    /// Works out the descriptor of a file.
    fn describe(&self, file: &SteadyFile) -> Result<Descriptor, Error> {
        let input = file.reader().map_err(unreadable(file.path()))?;
        let meter = self.progress.begin(Step::Hashing, file.size());
        let mut input = DigestReader::new(MeteredReader::new(input, meter));
        io::copy(&mut input, &mut io::sink()).map_err(unreadable(file.path()))?;
        Ok(input.finish(media_type::PROVIDER_ARCHIVE_LAYER))
    }

    /// Verifies an archive and works out its descriptor while it is read.
    fn examine(&self, input: impl Read, name: &Path) -> Result<(Descriptor, Contents), Error> {
        let mut input = DigestReader::new(input);
        let contents = verify(&mut input, &self.limits).map_err(|error| error.in_archive(name))?;
        Ok((input.finish(media_type::PROVIDER_ARCHIVE_LAYER), contents))
    }
}

/// The artifact of one archive, which has the digest that the reference names, if it names one.
fn build(
    layer: &Descriptor,
    title: Option<&str>,
    reference: &Reference,
    annotations: &BTreeMap<String, String>,
) -> Result<Artifact, Error> {
    let artifact = Artifact::build(layer, title, annotations);
    let actual = &artifact.descriptor().digest;
    note_digest(actual);
    match reference.digest() {
        Some(expected) if expected != actual => Err(Error::OtherDigest {
            reference: reference.to_string(),
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        _ => Ok(artifact),
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| archive::Error::Read { path, source }.into()
}

fn named(reference: &Reference) -> Result<(), Error> {
    match reference.name() {
        Some(_) => Ok(()),
        None => Err(Error::Unnamed(reference.to_string())),
    }
}

/// A temporary file.
async fn spool() -> Result<(File, TempPath), Error> {
    blocking(|| {
        let spool = NamedTempFile::with_prefix("par-");
        let spool = spool.map_err(Error::write(&std::env::temp_dir()))?;
        Ok(spool.into_parts())
    })
    .await
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
