//! The blobs of a layout.

use std::fs;
use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::content::{
    AtomicFile, Descriptor, Digest, Source, VerifyError, VerifyReader, open_regular,
};

use super::super::blocking;
use super::super::error::Error;
use super::{BUFFER, Layout};

impl Layout {
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        let algorithm = digest.algorithm().name();
        self.directory
            .join("blobs")
            .join(algorithm)
            .join(digest.hex())
    }

    /// The size of the blob, when it is there.
    pub(super) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.blob(digest);
        match tokio::fs::metadata(&path).await {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Whether the blob is there and has its digest. It is read for that: what is damaged could not be
    /// repaired otherwise, and would be tagged.
    pub(super) async fn holds(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        if self.blob_size(&descriptor.digest).await? != Some(descriptor.size) {
            return Ok(false);
        }
        let (path, descriptor) = (self.blob(&descriptor.digest), descriptor.clone());
        blocking(move || {
            let read = || {
                let (file, _) = open_regular(&path)?;
                let mut reader = VerifyReader::new(file, &descriptor);
                io::copy(&mut reader, &mut io::sink())?;
                reader.finish()
            };
            match read().map_err(|error| error.downcast::<VerifyError>()) {
                Ok(()) => Ok(true),
                Err(Ok(error)) => {
                    tracing::warn!("{error}; {} is written anew", path.display());
                    Ok(false)
                }
                Err(Err(error)) => Err(Error::file(&path)(error)),
            }
        })
        .await
    }

    /// Writes the blob, complete or not at all, over what may be there.
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
        let read_error = |source: io::Error| match source.downcast::<VerifyError>() {
            Ok(source) => Error::NotVerified {
                what: what(),
                source,
            },
            Err(source) => Error::SourceFailed {
                what: what(),
                source,
            },
        };
        let reader = source.open(0).await?;
        let target = path.clone();
        let file = blocking(move || {
            let created = match target.parent() {
                Some(folder) => fs::create_dir_all(folder),
                None => Ok(()),
            };
            created
                .and_then(|()| AtomicFile::create(&target))
                .map_err(|source| Error::File {
                    path: target,
                    source,
                })
        })
        .await?;
        let mut writer = tokio::fs::File::from_std(file.as_file().try_clone().map_err(file_error)?);
        writer.set_max_buf_size(BUFFER);
        let mut reader = VerifyReader::new(reader, descriptor);
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = reader.read(&mut buffer).await.map_err(read_error)?;
            if count == 0 {
                break;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            writer.write_all(bytes).await.map_err(file_error)?;
        }
        writer.flush().await.map_err(file_error)?;
        reader.finish_async().await.map_err(read_error)?;
        blocking(move || {
            file.commit()
                .map(drop)
                .map_err(|source| Error::File { path, source })
        })
        .await
    }
}
