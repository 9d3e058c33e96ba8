//! Content in the cache: received once, whoever asks at the same time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::content::{
    Descriptor, Digest, ErrorKind, Fetch, Reader, Source, StoreError, VerifyError, VerifyReader,
    blocking, publish,
};

use super::Cache;
use super::content::{Held, Kind};
use super::error::Error;
use super::lock::{is_at, try_open_locked};
use super::seal::seal;
use super::waiting::{Obstacle, when_free};

const BUFFER: usize = 256 * 1024;

#[async_trait]
impl Fetch for Cache {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        let held = self.hold_off_the_runtime(&descriptor.digest).await?;
        Ok(held.is_some())
    }

    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let Some(held) = self.hold_off_the_runtime(&descriptor.digest).await? else {
            return Err(Error::NoContent(descriptor.digest.clone()).into());
        };
        let path = held.path().to_owned();
        let range = range.unwrap_or(0..descriptor.size);
        // The lock stays with the open file.
        let mut file = tokio::fs::File::from_std(held.into_file());
        file.set_max_buf_size(BUFFER);
        file.seek(SeekFrom::Start(range.start))
            .await
            .map_err(Error::file(&path))?;
        Ok(Box::new(file.take(range.end.saturating_sub(range.start))))
    }
}

/// Content that is there, or the file that it is to be received in.
enum Incoming {
    Complete(Held),
    Unfinished(PathBuf, File),
}

impl Cache {
    /// Content, received from `source` if it was not there, and kept from being pruned. Waits for whoever
    /// is receiving it now.
    pub(crate) async fn receive(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Held, StoreError> {
        loop {
            let (cache, digest) = (self.clone(), descriptor.digest.clone());
            let (path, file) = match when_free(move || cache.incoming(&digest)).await? {
                Incoming::Complete(held) => return Ok(held),
                Incoming::Unfinished(path, file) => (path, file),
            };
            let download = Download {
                cache: self,
                descriptor,
                source,
                path,
                file,
            };
            // Otherwise it was pruned in the same moment.
            if let Some(held) = download.run().await? {
                return Ok(held);
            }
        }
    }

    fn incoming(&self, digest: &Digest) -> Result<Incoming, Obstacle> {
        if let Some(held) = self.held(Kind::Blob, digest)? {
            return Ok(Incoming::Complete(held));
        }
        let path = self.paths.partial(digest);
        self.paths.create_parent(&path)?;
        let file = try_open_locked(&path).map_err(Error::file(&path))?;
        let file = file.ok_or(Obstacle::Busy)?;
        // Somebody else may have finished since the first look.
        let held = self.held(Kind::Blob, digest);
        if !matches!(held, Ok(None)) {
            discard(&path, &file).map_err(Error::file(&path))?;
        }
        Ok(match held? {
            Some(held) => Incoming::Complete(held),
            None => Incoming::Unfinished(path, file),
        })
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
    /// `None` when it was received, and pruned in the same moment.
    async fn run(self) -> Result<Option<Held>, StoreError> {
        let done = match self.receive().await {
            Ok(()) => self.publish().await,
            Err(error) => Err(error),
        };
        if let Err(error) = &done {
            self.tidy_up(error)?;
        }
        done
    }

    async fn receive(&self) -> Result<(), StoreError> {
        let done = self.file.metadata().map_err(Error::file(&self.path))?.len();
        if done > 0 && done <= self.descriptor.size {
            match self.receive_from(done).await {
                // What was there is of no use, or the source cannot continue: from the start then.
                Err(error) if error.kind() == ErrorKind::NotVerified => {}
                received => return received,
            }
        }
        match self.receive_from(0).await {
            // Bytes change on their way, and only the digest tells. The same damage again is no accident.
            Err(error) if is_damage(&error) => {
                tracing::info!("{error}; it is received once more");
                self.receive_from(0).await
            }
            received => received,
        }
    }

    /// What has arrived stays, for the next one to continue; but not when there is nothing to continue,
    /// or no room to.
    fn tidy_up(&self, error: &StoreError) -> Result<(), StoreError> {
        let full = error.downcast_ref::<Error>().is_some_and(Error::is_full);
        let tidied = self.file.metadata().and_then(|metadata| {
            if full || metadata.len() == 0 {
                discard(&self.path, &self.file)?;
            }
            Ok(())
        });
        Ok(tidied.map_err(Error::file(&self.path))?)
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
        let path = self.path.clone();
        let (file, start) =
            blocking(move || read_start(file, &descriptor, offset).map_err(Error::file(&path)))
                .await?;
        let mut reader = start.continue_with(source);
        let mut file = tokio::fs::File::from_std(file);
        let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
        let read = loop {
            buffer.clear();
            match reader.read_buf(&mut buffer).await {
                Ok(0) => break Ok(reader),
                Ok(_) => {}
                Err(error) => break Err(self.receive_error(error)),
            }
            file.write_all(&buffer)
                .await
                .map_err(Error::file(&self.path))?;
        };
        // However it ended: what is still on its way to the file must not arrive when it has been emptied.
        file.flush().await.map_err(Error::file(&self.path))?;
        Ok(read?)
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

    /// Gives the file its final name, and keeps it from being pruned.
    async fn publish(&self) -> Result<Option<Held>, StoreError> {
        let kind = Kind::Blob;
        let destination = self.cache.paths.content(kind, &self.descriptor.digest);
        self.cache.paths.create_parent(&destination)?;
        let file = self.file.try_clone().map_err(Error::file(&self.path))?;
        let path = self.path.clone();
        let published = blocking(move || {
            let publish = || {
                publish(&file, &path, &destination, kind.mode())?;
                seal(&file, kind.mode())?;
                // From now on others may read it too.
                file.unlock()?;
                file.lock_shared()
            };
            publish().map_err(Error::file(&destination))?;
            let there = is_at(&file, &destination);
            Ok::<_, Error>(there.then(|| Held::new(destination, file)))
        });
        Ok(published.await?)
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

/// Removes an unfinished file that nobody will ever continue. What somebody else gave its final name is
/// left alone.
pub(super) fn discard(path: &Path, locked: &File) -> io::Result<()> {
    // While it is under its name and the lock is ours, nobody else writes to it.
    match is_at(locked, path) {
        true => std::fs::remove_file(path),
        false => Ok(()),
    }
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
