//! The reader that verifies.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::descriptor::Descriptor;
use super::digest::{Algorithm, Digest, Hasher};

/// Content is not what its descriptor says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// More bytes came than the descriptor names.
    #[error("{digest} is longer than the {size} bytes its descriptor names")]
    TooLong {
        /// The digest that was asked for.
        digest: Digest,
        /// The size its descriptor names, in bytes.
        size: u64,
    },
    /// The bytes ended early.
    #[error("{digest} ended after {read} of {size} bytes")]
    TooShort {
        /// The digest that was asked for.
        digest: Digest,
        /// The size its descriptor names, in bytes.
        size: u64,
        /// How many bytes came.
        read: u64,
    },
    /// The bytes have another digest.
    #[error("the content of {expected} has the digest {actual}")]
    WrongDigest {
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
}

/// Passes bytes through while it hashes them, and caps them at the size of a [`Descriptor`].
///
/// What has been read counts as verified only once [`finish`](Self::finish) has succeeded. Works over
/// [`Read`] and over [`AsyncRead`].
#[derive(Debug)]
pub struct VerifyReader<R> {
    inner: R,
    hasher: Hasher,
    expected: Digest,
    size: u64,
    read: u64,
}

impl<R> VerifyReader<R> {
    /// A reader over `inner`, which is expected to give exactly the content of `descriptor`.
    pub fn new(inner: R, descriptor: &Descriptor) -> Self {
        Self {
            inner,
            hasher: Hasher::new(descriptor.digest.algorithm()),
            expected: descriptor.digest.clone(),
            size: descriptor.size,
            read: 0,
        }
    }

    /// Ends reading: the bytes read are exactly those of the descriptor. Read to the end first, or
    /// bytes that trail the content go unnoticed.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] when the size or the digest differ.
    pub fn finish(self) -> Result<R, VerifyError> {
        if self.read < self.size {
            return Err(VerifyError::TooShort {
                digest: self.expected,
                size: self.size,
                read: self.read,
            });
        }
        let actual = self.hasher.finish();
        if actual != self.expected {
            return Err(VerifyError::WrongDigest {
                expected: self.expected,
                actual,
            });
        }
        Ok(self.inner)
    }

    /// Goes on with another reader for the bytes that follow: what has been read so far counts.
    pub fn continue_with<S>(self, inner: S) -> VerifyReader<S> {
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
            let error = VerifyError::TooLong {
                digest: self.expected.clone(),
                size: self.size,
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.hasher.update(bytes);
        Ok(())
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

/// Passes bytes through while it works out their digest and size: the descriptor of a file that is
/// being read for another purpose anyway.
#[derive(Debug)]
pub struct DigestReader<R> {
    inner: R,
    hasher: Hasher,
    read: u64,
}

impl<R: Read> DigestReader<R> {
    /// A reader over `inner`, with SHA-256.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: Hasher::new(Algorithm::Sha256),
            read: 0,
        }
    }

    /// The descriptor of everything that was read.
    pub fn finish(self, media_type: &str) -> Descriptor {
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
mod tests {
    use super::*;

    fn read(content: &[u8], descriptor: &Descriptor) -> Result<Vec<u8>, VerifyError> {
        let mut reader = VerifyReader::new(content, descriptor);
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => reader.finish().map(|_| bytes),
            Err(error) => Err(error.downcast::<VerifyError>().unwrap()),
        }
    }

    #[test]
    fn the_right_bytes_pass() {
        let descriptor = Descriptor::of("text/plain", b"content");
        assert_eq!(read(b"content", &descriptor).unwrap(), b"content");
    }

    #[test]
    fn wrong_short_and_long_content_fails_each_in_its_way() {
        let descriptor = Descriptor::of("text/plain", b"content");
        assert!(matches!(
            read(b"c0ntent", &descriptor),
            Err(VerifyError::WrongDigest { .. })
        ));
        assert!(matches!(
            read(b"conte", &descriptor),
            Err(VerifyError::TooShort { read: 5, .. })
        ));
        assert!(matches!(
            read(b"content and more", &descriptor),
            Err(VerifyError::TooLong { size: 7, .. })
        ));
    }
}
