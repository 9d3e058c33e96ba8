//! Writing an archive, compressed or not.

use std::io::{self, Seek, SeekFrom, Write};

use super::encoder::{Finished, GzipEncoder, Mark};

/// Writes the bytes of a tar as they are, or as one gzip member.
pub(in crate::archive) enum Encoder<W> {
    Plain {
        output: W,
        /// The position and the length of the room for reserved content, in bytes.
        room: (u64, usize),
    },
    Gzip(Box<GzipEncoder<W>>),
}

impl<W: Write + Seek> Encoder<W> {
    /// Creates a writer of a plain archive.
    pub(in crate::archive) fn plain(output: W) -> Self {
        let room = (0, 0);
        Self::Plain { output, room }
    }

    /// Creates a writer of a compressed archive with an extra field of `extra` bytes in the header.
    pub(in crate::archive) fn gzip(output: W, extra: u16) -> io::Result<Self> {
        Ok(Self::Gzip(Box::new(GzipEncoder::new(output, extra)?)))
    }

    /// Begins a new part, which can be inflated alone, with the next byte that is written. Returns `None` for a plain
    /// archive.
    pub(in crate::archive) fn restart_point(&mut self) -> io::Result<Option<Mark>> {
        match self {
            Self::Plain { .. } => Ok(None),
            Self::Gzip(encoder) => encoder.restart_point().map(Some),
        }
    }

    /// Leaves room for `length` bytes of content, which are passed to [`finish`](Self::finish). This can be done once.
    pub(in crate::archive) fn reserve(&mut self, length: usize) -> io::Result<()> {
        match self {
            Self::Plain { output, room } => {
                *room = (output.stream_position()?, length);
                output.write_all(&vec![0; length])
            }
            Self::Gzip(encoder) => encoder.reserve(length),
        }
    }

    /// Ends the archive. Writes `reserved` where room was left for it, and writes the bytes that `extra` returns for
    /// the finished member to the extra field.
    pub(in crate::archive) fn finish(
        self,
        reserved: &[u8],
        extra: impl FnOnce(&Finished<W>) -> Option<Vec<u8>>,
    ) -> io::Result<W> {
        match self {
            Self::Plain { mut output, room } => {
                let (offset, length) = room;
                if length != reserved.len() {
                    let reason = "room was left for content of another length";
                    return Err(io::Error::other(reason));
                }
                if length > 0 {
                    let end = output.stream_position()?;
                    output.seek(SeekFrom::Start(offset))?;
                    output.write_all(reserved)?;
                    output.seek(SeekFrom::Start(end))?;
                }
                Ok(output)
            }
            Self::Gzip(encoder) => {
                let mut finished = encoder.finish(reserved)?;
                if let Some(extra) = extra(&finished) {
                    finished.set_extra(&extra)?;
                }
                Ok(finished.into_output())
            }
        }
    }
}

impl<W: Write + Seek> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain { output, .. } => output.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain { output, .. } => output.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}
