//! Readers that verify content and compute digests.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::descriptor::Descriptor;
use super::digest::{Algorithm, Digest, Hasher};

/// The error for content that is not what its descriptor says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The content has more bytes than its descriptor says.
    #[error("the content of {digest} is longer than the {size} bytes in its descriptor")]
    TooLong {
        /// The digest in the descriptor.
        digest: Digest,
        /// The size that the descriptor says, in bytes.
        size: u64,
    },
    /// The content ended early.
    #[error("the content of {digest} ended after {read} of {size} bytes")]
    TooShort {
        /// The digest in the descriptor.
        digest: Digest,
        /// The size that the descriptor says, in bytes.
        size: u64,
        /// How many bytes the content has.
        read: u64,
    },
    /// The content has another digest.
    #[error("the content of {expected} has the digest {actual}")]
    WrongDigest {
        /// The digest in the descriptor.
        expected: Digest,
        /// The digest of the content.
        actual: Digest,
    },
}

impl From<VerifyError> for io::Error {
    fn from(error: VerifyError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Passes content through while it hashes it, and fails once the content is longer than its [`Descriptor`]
/// says.
///
/// The content is verified only once [`finish`](Self::finish) or [`finish_async`](Self::finish_async) has
/// succeeded. The reader works over [`Read`] and over [`AsyncRead`].
#[derive(Debug)]
pub(crate) struct VerifyReader<R> {
    inner: R,
    hasher: Hasher,
    expected: Digest,
    size: u64,
    read: u64,
}

impl<R> VerifyReader<R> {
    /// Makes a reader over `inner`, which is expected to give exactly the content of `descriptor`.
    pub(crate) fn new(inner: R, descriptor: &Descriptor) -> Self {
        Self {
            inner,
            hasher: Hasher::new(descriptor.digest.algorithm()),
            expected: descriptor.digest.clone(),
            size: descriptor.size,
            read: 0,
        }
    }

    fn check(self) -> Result<(), VerifyError> {
        let (digest, size, read) = (self.expected, self.size, self.read);
        if read < size {
            return Err(VerifyError::TooShort { digest, size, read });
        }
        let (expected, actual) = (digest, self.hasher.finish());
        if actual != expected {
            return Err(VerifyError::WrongDigest { expected, actual });
        }
        Ok(())
    }

    /// Continues with another reader for the bytes that follow those read so far.
    pub(crate) fn continue_with<S>(self, inner: S) -> VerifyReader<S> {
        VerifyReader {
            inner,
            hasher: self.hasher,
            expected: self.expected,
            size: self.size,
            read: self.read,
        }
    }

    fn account(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.read += bytes.len() as u64;
        if self.read > self.size {
            let (digest, size) = (self.expected.clone(), self.size);
            return Err(VerifyError::TooLong { digest, size }.into());
        }
        self.hasher.update(bytes);
        Ok(())
    }
}

impl<R: Read> VerifyReader<R> {
    /// Verifies that the bytes read so far are the whole content and that no byte follows them. When the size or the
    /// digest differs, the error contains a [`VerifyError`].
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.read == self.size {
            io::copy(&mut self.by_ref().take(1), &mut io::sink())?;
        }
        Ok(self.check()?)
    }
}

impl<R: AsyncRead + Unpin> VerifyReader<R> {
    /// Verifies the content as [`finish`](Self::finish) does.
    pub(crate) async fn finish_async(mut self) -> io::Result<()> {
        if self.read == self.size {
            AsyncReadExt::read(&mut self, &mut [0]).await?;
        }
        Ok(self.check()?)
    }
}

impl<R: Read> Read for VerifyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.account(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for VerifyReader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(this.account(new))
    }
}

/// Computes the digest and the size of the bytes that are read through it. This saves reading a file a second time.
#[derive(Debug)]
pub(crate) struct DigestReader<R> {
    inner: R,
    hasher: Hasher,
    read: u64,
}

impl<R: Read> DigestReader<R> {
    /// Makes a reader over `inner` that computes a SHA-256 digest.
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: Hasher::new(Algorithm::Sha256),
            read: 0,
        }
    }

    /// Returns the descriptor of everything that was read.
    pub(crate) fn finish(self, media_type: &str) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: self.hasher.finish(),
            size: self.read,
        }
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "tests/verify.rs"]
mod tests;
