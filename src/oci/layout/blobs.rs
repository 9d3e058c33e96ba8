//! The blobs of a layout.

use std::fs;
use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::content::{
    AtomicFile, Descriptor, Digest, LONG_WORK, Source, VerifyError, VerifyReader, blocking,
    directory_of, open_regular,
};

use super::super::error::Error;
use super::super::manifest::describe;
use super::directory::Layout;
use super::files::{BLOBS, read};

/// The size of reads and writes, in bytes. Each of them runs on a thread for blocking work.
const BUFFER: usize = 256 * 1024;

impl Layout {
    pub(in crate::oci) fn blob(&self, digest: &Digest) -> PathBuf {
        let blobs = self.directory.join(BLOBS);
        blobs.join(digest.algorithm().name()).join(digest.hex())
    }

    /// Returns the size of a blob, or `None` when it is not in the layout.
    pub(in crate::oci) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.blob(digest);
        match tokio::fs::metadata(&path).await {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Returns the descriptor of a manifest that is not in the index. The media type is read from the manifest.
    pub(super) async fn resolve_blob(&self, digest: &Digest) -> Result<Descriptor, Error> {
        let missing = || self.missing(digest.to_string());
        self.blob_size(digest).await?.ok_or_else(missing)?;
        let path = self.blob(digest);
        let text = blocking(move || read(&path)).await?;
        describe(digest, &text)?.ok_or_else(missing)
    }

    /// Returns whether the layout has the blob with the right digest. This reads the whole blob, because a damaged blob
    /// has to be written again before a tag names it.
    pub(super) async fn holds(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        if self.blob_size(&descriptor.digest).await? != Some(descriptor.size) {
            return Ok(false);
        }
        let (path, descriptor) = (self.blob(&descriptor.digest), descriptor.clone());
        LONG_WORK
            .blocking(move || {
                let read = || {
                    let (file, _) = open_regular(&path)?;
                    let mut reader = VerifyReader::new(file, &descriptor);
                    io::copy(&mut reader, &mut io::sink())?;
                    reader.finish()
                };
                match read().map_err(|error| error.downcast::<VerifyError>()) {
                    Ok(()) => Ok(true),
                    Err(Ok(error)) => {
                        tracing::warn!("writing {} again: {error}", path.display());
                        Ok(false)
                    }
                    Err(Err(error)) => Err(Error::file(&path)(error)),
                }
            })
            .await
    }

    /// Writes a blob in one step, and replaces a damaged one.
    pub(super) async fn write_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<(), Error> {
        let path = self.blob(&descriptor.digest);
        let what = || format!("content {}", descriptor.digest);
        let file_error = |source| Error::File {
            path: path.clone(),
            source,
        };
        let reader = source.open(0).await?;
        let target = path.clone();
        let file = blocking(move || {
            fs::create_dir_all(directory_of(&target))
                .and_then(|()| AtomicFile::create(&target))
                .map_err(Error::file(&target))
        })
        .await?;
        let mut writer = tokio::fs::File::from_std(file.as_file().try_clone().map_err(file_error)?);
        writer.set_max_buf_size(BUFFER);
        let mut reader = VerifyReader::new(reader, descriptor);
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = reader.read(&mut buffer).await;
            let count = read.map_err(|error| Error::reading(what(), error))?;
            if count == 0 {
                break;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            writer.write_all(bytes).await.map_err(file_error)?;
        }
        writer.flush().await.map_err(file_error)?;
        reader
            .finish_async()
            .await
            .map_err(|error| Error::reading(what(), error))?;
        LONG_WORK
            .blocking(move || file.commit().map(drop).map_err(Error::file(&path)))
            .await
    }
}
