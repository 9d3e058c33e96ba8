//! The cache as a storage. Each blob is received once for all tasks that need it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::content::{
    Descriptor, Digest, ErrorKind, Fetch, LONG_WORK, Locking, Reader, Source, StoreError,
    VerifyError, VerifyReader, blocking, file_reader, is_at, publish,
};

use super::error::Error;
use super::lock::{LockedFile, Obstacle, when_free};
use super::lookup::Held;
use super::open::Cache;
use super::paths::Kind;
use super::seal::seal;

const BUFFER: usize = 256 * 1024;

#[async_trait]
impl Fetch for Cache {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let Some(held) = self.hold_async(&descriptor.digest).await? else {
            return Err(Error::NoContent(descriptor.digest.clone()).into());
        };
        let range = range.unwrap_or(0..descriptor.size);
        // The open file keeps its shared lock.
        Ok(file_reader(held.file, range))
    }
}

/// Content of the cache, or the file into which it is received.
enum Incoming {
    Complete(Held),
    Unfinished(LockedFile),
}

impl Cache {
    /// Returns content from the cache, and receives it from `source` before if it is not cached. Waits while another
    /// task receives it. The content is not pruned while the result exists.
    pub(crate) async fn receive(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Held, StoreError> {
        loop {
            let (cache, digest) = (self.clone(), descriptor.digest.clone());
            let locked = match when_free(move || cache.incoming(&digest)).await? {
                Incoming::Complete(held) => return Ok(held),
                Incoming::Unfinished(locked) => locked,
            };
            let download = Download {
                cache: self,
                descriptor,
                source,
                locked,
            };
            // `None` means that another process has pruned the content already.
            if let Some(held) = download.run().await? {
                return Ok(held);
            }
        }
    }

    /// Puts `bytes`, the content of `descriptor`, into the cache unless it is cached. Waits while another task receives
    /// it. This is for small content: it is written in one piece of blocking work, and not continued after an
    /// interruption.
    pub(crate) async fn keep(&self, descriptor: &Descriptor, bytes: &Bytes) -> Result<(), Error> {
        let (cache, descriptor, bytes) = (self.clone(), descriptor.clone(), bytes.clone());
        when_free(move || cache.keep_blocking(&descriptor, &bytes)).await
    }

    fn keep_blocking(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), Obstacle> {
        let mut reader = VerifyReader::new(bytes, descriptor);
        let read = io::copy(&mut reader, &mut io::sink()).and_then(|_| reader.finish());
        read.map_err(receive_error(descriptor))?;
        let Incoming::Unfinished(locked) = self.incoming(&descriptor.digest)? else {
            return Ok(());
        };
        let (path, mut file) = (&locked.path, &locked.file);
        let destination = self.paths.content(Kind::Blob, &descriptor.digest);
        let written = self.paths.make_way(&destination).and_then(|()| {
            let written = file.set_len(0).and_then(|()| file.write_all(bytes));
            written.map_err(Error::file(path))?;
            publish_blob(file, path, &destination)
        });
        if written.is_err()
            && let Err(error) = locked.remove()
        {
            tracing::debug!(path = %path.display(), %error, "the file stays");
        }
        written?;
        Ok(())
    }

    fn incoming(&self, digest: &Digest) -> Result<Incoming, Obstacle> {
        if let Some(held) = self.held(Kind::Blob, digest)? {
            return Ok(Incoming::Complete(held));
        }
        let path = self.paths.partial(digest);
        self.paths.make_way(&path)?;
        let locked = LockedFile::try_open(&path).map_err(Error::file(&path))??;
        // Another task may have received the content since the first check.
        let held = self.held(Kind::Blob, digest);
        if !matches!(held, Ok(None)) {
            locked.remove().map_err(Error::file(&path))?;
        }
        Ok(match held? {
            Some(held) => Incoming::Complete(held),
            None => Incoming::Unfinished(locked),
        })
    }
}

/// One blob on its way into the cache.
struct Download<'a> {
    cache: &'a Cache,
    descriptor: &'a Descriptor,
    source: &'a dyn Source,
    locked: LockedFile,
}

impl Download<'_> {
    /// Receives the blob. Returns `None` when another process pruned it before this task had a lock on it.
    async fn run(self) -> Result<Option<Held>, StoreError> {
        let done = match self.receive().await {
            Ok(()) => self.publish().await,
            Err(error) => Err(error),
        };
        if let Err(error) = &done {
            self.tidy_up(error).map_err(self.file_error())?;
        }
        done
    }

    async fn receive(&self) -> Result<(), StoreError> {
        let metadata = self.locked.file.metadata();
        let done = metadata.map_err(self.file_error())?.len();
        if done > 0 && done <= self.descriptor.size {
            match self.receive_from(done).await {
                // The unfinished file is damaged, or the source cannot continue the download. Begin at the start.
                Err(error) if error.kind() == ErrorKind::NotVerified => {}
                received => return received,
            }
        }
        match self.receive_from(0).await {
            // Bytes can change in transit without an error, so damaged content is received once more.
            Err(error) if is_damage(&error) => {
                tracing::info!("receiving the content again: {error}");
                self.receive_from(0).await
            }
            received => received,
        }
    }

    /// Removes an unfinished file if it is empty or if the disk is full. Otherwise the file stays, so that the next
    /// download continues it.
    fn tidy_up(&self, error: &StoreError) -> io::Result<()> {
        let full = error.downcast_ref::<Error>().is_some_and(Error::is_full);
        if full || self.locked.file.metadata()?.len() == 0 {
            self.locked.remove()?;
        }
        Ok(())
    }

    /// Receives the content from `offset` on. When the content does not verify, the file is emptied. When the download
    /// is interrupted, the file keeps its bytes.
    async fn receive_from(&self, offset: u64) -> Result<(), StoreError> {
        let received = self.append(offset).await;
        if let Err(error) = &received
            && error.kind() == ErrorKind::NotVerified
        {
            let emptied = self.locked.file.set_len(0);
            emptied.map_err(self.file_error())?;
        }
        received
    }

    async fn append(&self, offset: u64) -> Result<(), StoreError> {
        let source = self.source.open(offset).await?;
        let file = self.locked.file.try_clone().map_err(self.file_error())?;
        let (descriptor, file_error) = (self.descriptor.clone(), self.file_error());
        let start =
            LONG_WORK.blocking(move || read_start(file, &descriptor, offset).map_err(file_error));
        let (file, start) = start.await?;
        let mut reader = start.continue_with(source);
        let mut file = tokio::fs::File::from_std(file);
        let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
        let read = loop {
            buffer.clear();
            match reader.read_buf(&mut buffer).await {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(receive_error(self.descriptor)(error)),
            }
            file.write_all(&buffer).await.map_err(self.file_error())?;
        };
        // The file is flushed after an error too: a write that has not ended must not reach the file after it was
        // emptied.
        file.flush().await.map_err(self.file_error())?;
        read?;
        let verified = reader.finish_async().await;
        Ok(verified.map_err(receive_error(self.descriptor))?)
    }

    fn file_error(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::file(&self.locked.path)
    }

    /// Publishes the file. Returns `None` if another process has pruned it already.
    async fn publish(&self) -> Result<Option<Held>, StoreError> {
        let destination = self
            .cache
            .paths
            .content(Kind::Blob, &self.descriptor.digest);
        let (cache, path) = (self.cache.clone(), self.locked.path.clone());
        let file = self.locked.file.try_clone().map_err(self.file_error())?;
        let published = blocking(move || {
            cache.paths.make_way(&destination)?;
            let there = publish_blob(&file, &path, &destination)?;
            let path = destination;
            Ok::<_, Error>(there.then(|| Held { path, file }))
        });
        Ok(published.await?)
    }
}

/// Gives a received file its final name, and a shared lock so that it is not pruned. Returns `false` if another process
/// has pruned it already.
fn publish_blob(file: &File, path: &Path, destination: &Path) -> Result<bool, Error> {
    let mode = Kind::Blob.mode();
    let publish = || {
        publish(file, path, destination, mode)?;
        seal(file, mode)?;
        // From now on, other tasks may use the file.
        Locking::share(file, destination)?;
        is_at(file, destination)
    };
    publish().map_err(Error::file(destination))
}

/// Returns the error for content of `descriptor` that cannot be read or does not verify.
fn receive_error(descriptor: &Descriptor) -> impl FnOnce(io::Error) -> Error {
    |error| match error.downcast::<VerifyError>() {
        Ok(error) => error.into(),
        Err(source) => Error::Receive {
            digest: descriptor.digest.clone(),
            source,
        },
    }
}

/// Whether the content was received completely, with a wrong digest.
fn is_damage(error: &StoreError) -> bool {
    let wrong =
        |error: &Error| matches!(error, Error::NotVerified(VerifyError::WrongDigest { .. }));
    error.downcast_ref().is_some_and(wrong)
}

/// Hashes the first `offset` bytes of an unfinished file and cuts off the rest. Afterwards, the position of the file is
/// at its end.
fn read_start(
    mut file: File,
    descriptor: &Descriptor,
    offset: u64,
) -> io::Result<(File, VerifyReader<io::Empty>)> {
    file.set_len(offset)?;
    file.seek(SeekFrom::Start(0))?;
    let mut start = VerifyReader::new(Read::by_ref(&mut file).take(offset), descriptor);
    io::copy(&mut start, &mut io::sink())?;
    let start = start.continue_with(io::empty());
    file.seek(SeekFrom::Start(offset))?;
    Ok((file, start))
}
