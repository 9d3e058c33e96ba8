//! Content in the cache: received once, whoever asks at the same time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::content::{
    Descriptor, ErrorKind, Reader, Source, Store, StoreError, VerifyError, VerifyReader, publish,
};

use super::Cache;
use super::error::Error;

/// The permission bits of a blob: nobody writes to it.
const BLOB_MODE: u32 = 0o444;

const BUFFER: usize = 256 * 1024;

#[async_trait]
impl Store for Cache {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        Ok(self.blob(&descriptor.digest).is_some())
    }

    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let path = self.paths.blob(&descriptor.digest);
        let range = range.unwrap_or(0..descriptor.size);
        let opened = async {
            let mut file = tokio::fs::File::open(&path).await?;
            file.set_max_buf_size(BUFFER);
            file.seek(SeekFrom::Start(range.start)).await?;
            Ok::<_, io::Error>(file.take(range.end.saturating_sub(range.start)))
        };
        match opened.await {
            Ok(reader) => Ok(Box::new(reader)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoContent(descriptor.digest.clone()).into())
            }
            Err(error) => Err(Error::file(&path)(error).into()),
        }
    }

    async fn put(&self, descriptor: &Descriptor, source: &dyn Source) -> Result<(), StoreError> {
        if self.blob(&descriptor.digest).is_some() {
            return Ok(());
        }
        let path = self.paths.partial(&descriptor.digest);
        self.paths.create_parent(&path)?;
        let partial = blocking(&path, lock).await?;
        // Somebody else may have finished while this call waited for the lock.
        if self.blob(&descriptor.digest).is_some() {
            return blocking(&path, move |path| discard(path, &partial)).await;
        }
        let download = Download {
            cache: self,
            descriptor,
            source,
            path,
            file: partial,
        };
        download.run().await
    }

    async fn resolve(&self, name: &str) -> Result<Descriptor, StoreError> {
        Ok(self.recorded(name)?.descriptor)
    }

    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError> {
        Ok(self.record(name, descriptor)?)
    }
}

/// One blob on its way into the cache. Holds the lock on its unfinished file.
struct Download<'a> {
    cache: &'a Cache,
    descriptor: &'a Descriptor,
    source: &'a dyn Source,
    path: PathBuf,
    file: File,
}

impl Download<'_> {
    async fn run(self) -> Result<(), StoreError> {
        let done = self.file.metadata().map_err(Error::file(&self.path))?.len();
        if done > 0 && done <= self.descriptor.size {
            match self.receive_from(done).await {
                Ok(()) => return self.publish(),
                // What was there is of no use, or the source cannot continue: from the start then.
                Err(error) if error.kind() == ErrorKind::NotVerified => {}
                Err(error) => return Err(error),
            }
        }
        match self.receive_from(0).await {
            // Bytes change on their way, and only the digest tells. The same damage again is no accident.
            Err(error) if is_damage(&error) => {
                tracing::info!("{error}; it is received once more");
                self.receive_from(0).await?;
            }
            received => received?,
        }
        self.publish()
    }

    /// Receives everything from `offset` on. What fails verification is thrown away; what was merely
    /// interrupted stays, for the next one to continue.
    async fn receive_from(&self, offset: u64) -> Result<(), StoreError> {
        let received = match self.append(offset).await {
            Err(error) => Err(error),
            Ok(reader) => reader
                .finish()
                .map(drop)
                .map_err(|error| Error::from(error).into()),
        };
        if let Err(error) = &received
            && error.kind() == ErrorKind::NotVerified
        {
            self.file.set_len(0).map_err(Error::file(&self.path))?;
        }
        received
    }

    async fn append(&self, offset: u64) -> Result<VerifyReader<Reader>, StoreError> {
        let source = self.source.open(offset).await?;
        let file = self.file.try_clone().map_err(Error::file(&self.path))?;
        let descriptor = self.descriptor.clone();
        let (file, start) =
            blocking(&self.path, move |_| read_start(file, &descriptor, offset)).await?;
        let mut reader = start.continue_with(source);
        let mut file = tokio::fs::File::from_std(file);
        let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
        loop {
            buffer.clear();
            let count = reader.read_buf(&mut buffer).await;
            if count.map_err(|error| self.receive_error(error))? == 0 {
                break;
            }
            file.write_all(&buffer)
                .await
                .map_err(Error::file(&self.path))?;
        }
        file.flush().await.map_err(Error::file(&self.path))?;
        Ok(reader)
    }

    fn receive_error(&self, error: io::Error) -> Error {
        match error.downcast::<VerifyError>() {
            Ok(error) => error.into(),
            Err(source) => Error::Receive {
                digest: self.descriptor.digest.clone(),
                source,
            },
        }
    }

    fn publish(self) -> Result<(), StoreError> {
        let destination = self.cache.paths.blob(&self.descriptor.digest);
        self.cache.paths.create_parent(&destination)?;
        publish(&self.file, &self.path, &destination, BLOB_MODE)
            .map_err(Error::file(&destination))?;
        Ok(())
    }
}

/// Whether everything was received, and has another digest than it should.
fn is_damage(error: &StoreError) -> bool {
    let error = error.downcast_ref::<Error>();
    matches!(
        error,
        Some(Error::NotVerified(VerifyError::WrongDigest { .. }))
    )
}

/// Opens the unfinished file at `path`, and waits until nobody else is writing to it.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    // When another process finished meanwhile, this is the finished file under its old name. Nobody
    // writes to it: the caller looks for the blob first.
    file.lock()?;
    Ok(file)
}

/// Removes an unfinished file that was made just after somebody else had finished: nobody will ever
/// continue it. What that somebody gave its final name is left alone.
pub(super) fn discard(path: &Path, locked: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = locked.metadata()?;
        // While it is under its name and the lock is ours, nobody else writes to it.
        let unfinished = std::fs::symlink_metadata(path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if unfinished {
            std::fs::remove_file(path)?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, locked);
    Ok(())
}

/// Hashes the first `offset` bytes of an unfinished file, cuts off what follows, and stays there.
fn read_start(
    mut file: File,
    descriptor: &Descriptor,
    offset: u64,
) -> io::Result<(File, VerifyReader<io::Empty>)> {
    file.set_len(offset)?;
    file.seek(SeekFrom::Start(0))?;
    let mut start = VerifyReader::new(file.by_ref().take(offset), descriptor);
    io::copy(&mut start, &mut io::sink())?;
    let start = start.continue_with(io::empty());
    file.seek(SeekFrom::Start(offset))?;
    Ok((file, start))
}

/// Runs work on a file of the cache where it does not block others.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let owned = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&owned))
        .await
        .map_err(|error| StoreError::new(ErrorKind::Other, error))?;
    Ok(done.map_err(Error::file(path))?)
}
