//! Pull: from a reference to a verified file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use futures_util::future::join;

use crate::archive::{Compression, Contents, Target};
use crate::content::{AtomicFile, Descriptor, Digest, Meter, MeteredReader, Step, VerifyReader};
use crate::oci::Reference;

use super::about::about;
use super::blocking::blocking;
use super::client::Client;
use super::error::Error;
use super::lookup::{CachedArchive, Lookup, Resolution, read_storage};
use super::require::require_digest;
use super::transfer::remember;

/// An archive that was pulled and verified.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pulled {
    /// The file.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The contents of the archive.
    pub contents: Contents,
}

impl Client {
    /// Pulls the archive that `reference` stands for, verifies it, and writes it to `destination`. Of an image
    /// index, the manifest for this machine is used.
    ///
    /// Without a destination, or when it is a directory, the file is named after the repository and the
    /// compression of the archive: `provider.par` or `provider.par.gz`. `expected` is a digest that the
    /// manifest must have.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy; [`Error::OtherDigest`];
    /// [`Error::Write`]. No file is written then.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn pull(
        &self,
        reference: &Reference,
        destination: Option<&Path>,
        expected: Option<&Digest>,
    ) -> Result<Pulled, Error> {
        let client = &about(self, reference);
        let reference = &self.locked(reference)?;
        if let Some(expected) = expected {
            check_digest(self, reference, expected).await?;
        }
        let pinned = expected.map(|digest| reference.with_digest(digest.clone()));
        let pinned = pinned.as_ref().unwrap_or(reference);
        let lookup = Lookup::start(client, pinned, &Target::host()).await?;
        let (contents, path) = lookup
            .with_archive(|archive| write_verified(&lookup, archive, reference, destination))
            .await?;
        remember(self, reference, lookup.artifact.layers()).await;
        lookup.record(&contents.claims, None).await;
        Ok(Pulled {
            path,
            digest: lookup.digest(),
            contents,
        })
    }
}

/// Refuses a reference that stands for another digest than `expected`. The expected manifest may still be there under
/// its digest, but the caller has to learn that the tag was moved.
async fn check_digest(
    client: &Client,
    reference: &Reference,
    expected: &Digest,
) -> Result<(), Error> {
    let actual = match (reference.digest(), reference.tag()) {
        (Some(written), _) => written.clone(),
        (None, Some(_)) => {
            let store = read_storage(client, reference).await?;
            let resolution = Resolution::new(client, store.as_ref(), reference).await?;
            resolution.descriptor.digest
        }
        (None, None) => return Ok(()),
    };
    // Digests of two algorithms cannot be compared. The content is compared with the expected digest later.
    if reference.digest().is_none() && actual.algorithm() != expected.algorithm() {
        return Ok(());
    }
    require_digest(reference, Some(expected), &actual)
}

/// Writes the archive to a file while it is verified. The file gets its name once the archive is verified.
async fn write_verified(
    lookup: &Lookup,
    archive: CachedArchive,
    reference: &Reference,
    destination: Option<&Path>,
) -> Result<(Contents, PathBuf), Error> {
    let writing = write(lookup.client(), &archive, reference, destination);
    let verifying = lookup.verify(archive.clone());
    let (written, verified) = join(writing, verifying).await;
    let contents = verified?;
    let (file, path) = written?;
    let path = blocking(move || {
        file.commit().map_err(Error::write(&path))?;
        Ok(path)
    })
    .await?;
    Ok((contents, path))
}

/// Writes the archive to a file without a name. Returns the file and its future path.
///
/// Layers that were in the cache before are hashed again: verifying does not read every byte of an archive, and the
/// bytes of the file must have the digest of the layer.
async fn write(
    client: &Client,
    archive: &CachedArchive,
    reference: &Reference,
    destination: Option<&Path>,
) -> Result<(AtomicFile, PathBuf), Error> {
    let (archive, reference) = (archive.clone(), reference.clone());
    let destination = destination.map(Path::to_owned);
    client
        .blocking(move |client| {
            let compressed = archive.is_compressed()?;
            let path = path_of(&reference, destination.as_deref(), compressed);
            let meter = client.progress.begin(Step::Writing, archive.size());
            let file = AtomicFile::create(&path).map_err(Error::write(&path))?;
            for (layer, content) in archive.artifact.layers().iter().zip(archive.files()) {
                let content = content?;
                let copied = if archive.is_new {
                    copy(&content, file.as_file(), meter.as_ref())
                } else {
                    let content = MeteredReader::new(content, &meter);
                    copy_verified(content, layer, file.as_file())
                };
                copied.map_err(|error| match error.downcast() {
                    Ok(source) => Error::Damaged {
                        reference: reference.to_string(),
                        source,
                    },
                    Err(error) => Error::write(&path)(error),
                })?;
            }
            Ok((file, path))
        })
        .await
}

/// Copies a file to a file in steps, so that the progress can stop it. The system can copy between files without a
/// buffer of this process.
fn copy(from: &File, mut to: &File, meter: &dyn Meter) -> io::Result<()> {
    const STEP: u64 = 16 << 20;
    loop {
        let count = io::copy(&mut from.take(STEP), &mut to)?;
        if count == 0 {
            return Ok(());
        }
        meter.advance(count)?;
    }
}

/// Copies a layer to a file. The error is a [`VerifyError`](crate::content::VerifyError) when the bytes do not
/// match the descriptor.
fn copy_verified(content: impl Read, layer: &Descriptor, mut file: &File) -> io::Result<()> {
    const BUFFER: usize = 256 * 1024;
    let content = VerifyReader::new(content, layer);
    let mut content = BufReader::with_capacity(BUFFER, content);
    io::copy(&mut content, &mut file)?;
    content.into_inner().finish()
}

/// Returns the path that the archive is written to.
fn path_of(reference: &Reference, destination: Option<&Path>, compressed: bool) -> PathBuf {
    let compression = if compressed {
        Compression::Gzip
    } else {
        Compression::None
    };
    let name = format!("{}.{}", reference.file_stem(), compression.extension());
    match destination {
        Some(path) if path.is_dir() => path.join(name),
        Some(path) => path.to_owned(),
        None => PathBuf::from(name),
    }
}
