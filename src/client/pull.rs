//! Pull: from a reference to a verified file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use futures_util::future::join;

use crate::archive::{Compression, Contents};
use crate::content::{AtomicFile, Descriptor, Digest, Meter, MeteredReader, VerifyReader};
use crate::oci::Reference;

use super::artifact::Cached;
use super::error::Error;
use super::{Client, blocking};

/// An archive that was pulled and verified.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The file.
    pub path: PathBuf,
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive holds.
    pub contents: Contents,
}

impl Client {
    /// Pulls the archive that `reference` stands for, verifies it, and writes it to `destination`.
    ///
    /// Without a destination, or when it is a folder, the file is named after the repository and
    /// after what it is: `provider.par` or `provider.par.gz`. `expected` is a digest that the manifest
    /// must have.
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
        let reference = &self.locked(reference)?;
        if let Some(expected) = expected {
            self.demand(reference, expected).await?;
        }
        let pinned = expected.map(|digest| reference.with_digest(digest.clone()));
        let named = pinned.as_ref().unwrap_or(reference);
        let cached = self.cached(named).await?;
        let digest = cached.artifact.descriptor().digest.clone();
        let write = |cached| self.written(cached, reference, named, destination);
        let (cached, contents, path) = self.repairing(cached, named, write).await?;
        self.remember(reference, cached.artifact.layers()).await;
        self.record(cached.confirmed, None).await;
        Ok(Pulled {
            path,
            digest,
            contents,
        })
    }

    /// Writes the archive to its file while it is verified. The file gets its name when it has passed.
    async fn written(
        &self,
        cached: Cached,
        reference: &Reference,
        named: &Reference,
        destination: Option<&Path>,
    ) -> Result<(Cached, Contents, PathBuf), Error> {
        let writing = self.write(&cached, reference, destination);
        let verifying = self.verified_once(cached.clone(), named);
        let (written, verified) = join(writing, verifying).await;
        let (cached, contents) = verified?;
        let (file, path) = written?;
        let path = blocking(move || {
            file.commit().map_err(Error::write(&path))?;
            Ok(path)
        })
        .await?;
        Ok((cached, contents, path))
    }

    /// Writes the archive to a file that has no name yet, and gives the one that it is to have. What has been
    /// in the cache for a while is hashed once more: not every byte of an archive counts when that is verified,
    /// and this is to be the archive of its digest.
    async fn write(
        &self,
        cached: &Cached,
        reference: &Reference,
        destination: Option<&Path>,
    ) -> Result<(AtomicFile, PathBuf), Error> {
        let (cached, reference) = (cached.clone(), reference.clone());
        let destination = destination.map(Path::to_owned);
        self.blocking(move |client| {
            let compressed = cached.is_compressed()?;
            let path = place(&reference, destination.as_deref(), compressed);
            let meter = client.progress.begin("writing", cached.size());
            let file = AtomicFile::create(&path).map_err(Error::write(&path))?;
            for (layer, content) in cached.artifact.layers().iter().zip(cached.files()) {
                let content = content?;
                let copied = match cached.is_new {
                    true => copy(&content, file.as_file(), meter.as_ref()),
                    false => {
                        let content = MeteredReader::new(content, &meter);
                        copy_verified(content, layer, file.as_file())
                    }
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

    /// Refuses a reference that stands for something else than `expected`. A tag that has moved on must
    /// not go unnoticed, although what was expected may still be there under its digest.
    async fn demand(&self, reference: &Reference, expected: &Digest) -> Result<(), Error> {
        let actual = match (reference.digest(), reference.tag()) {
            (Some(written), _) => written.clone(),
            (None, Some(_)) => {
                let store = self.read_storage(reference).await?;
                let resolved = self.stands_for(store.as_ref(), reference).await?;
                resolved.descriptor.digest
            }
            (None, None) => return Ok(()),
        };
        // Digests of two algorithms cannot be compared: what comes is checked against the expected one.
        if reference.digest().is_none() && actual.algorithm() != expected.algorithm() {
            return Ok(());
        }
        if actual != *expected {
            return Err(Error::OtherDigest {
                reference: reference.to_string(),
                expected: expected.clone(),
                actual,
            });
        }
        Ok(())
    }
}

/// Copies from file to file, which the system can do without us, in steps that can be stopped.
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

/// Copies a layer to a file. The error is a [`VerifyError`](crate::content::VerifyError) when it is not what
/// its descriptor says.
fn copy_verified(content: impl Read, layer: &Descriptor, mut file: &File) -> io::Result<()> {
    const BUFFER: usize = 256 * 1024;
    let content = VerifyReader::new(content, layer);
    let mut content = BufReader::with_capacity(BUFFER, content);
    io::copy(&mut content, &mut file)?;
    content.into_inner().finish()
}

fn place(reference: &Reference, destination: Option<&Path>, compressed: bool) -> PathBuf {
    let compression = match compressed {
        true => Compression::Gzip,
        false => Compression::None,
    };
    let name = format!("{}.{}", reference.file_stem(), compression.extension());
    match destination {
        Some(path) if path.is_dir() => path.join(name),
        Some(path) => path.to_owned(),
        None => PathBuf::from(name),
    }
}
