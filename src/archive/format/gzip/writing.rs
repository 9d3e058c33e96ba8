//! Writing an archive, compressed or not.

use std::io::{self, Seek, SeekFrom, Write};

use super::encoder::{Finished, GzipEncoder, Mark};

/// Writes the bytes of a tar as they are, or as one gzip member.
pub(in crate::archive) enum Encoder<W> {
    Plain(Plain<W>),
    Gzip(Box<GzipEncoder<W>>),
}

pub(in crate::archive) struct Plain<W> {
    output: W,
    /// The position and the length of the room that was left.
    room: Option<(u64, usize)>,
}

impl<W: Write + Seek> Encoder<W> {
    /// Creates a writer of a plain archive.
    pub(in crate::archive) fn plain(output: W) -> Self {
        Self::Plain(Plain { output, room: None })
    }

    /// Creates a writer of a compressed archive with an extra field of `extra` bytes in the header.
    pub(in crate::archive) fn gzip(output: W, extra: u16) -> io::Result<Self> {
        Ok(Self::Gzip(Box::new(GzipEncoder::new(output, extra)?)))
    }

    /// Begins a part: what is written next can be inflated alone. Returns `None` for a plain archive.
    pub(in crate::archive) fn restart_point(&mut self) -> io::Result<Option<Mark>> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Gzip(encoder) => encoder.restart_point().map(Some),
        }
    }

    /// Leaves room for `length` bytes, which [`finish`](Self::finish) writes. Room can be left once.
    pub(in crate::archive) fn reserve(&mut self, length: usize) -> io::Result<()> {
        match self {
            Self::Plain(plain) => {
                plain.room = Some((plain.output.stream_position()?, length));
                plain.output.write_all(&vec![0; length])
            }
            Self::Gzip(encoder) => encoder.reserve(length),
        }
    }

    /// Ends the archive. `reserved` is written where room was left for it, and what `extra` returns for the
    /// finished member is written to its extra field.
    pub(in crate::archive) fn finish(
        self,
        reserved: &[u8],
        extra: impl FnOnce(&Finished<W>) -> Option<Vec<u8>>,
    ) -> io::Result<W> {
        match self {
            Self::Plain(plain) => plain.finish(reserved),
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

impl<W: Write + Seek> Plain<W> {
    fn finish(mut self, reserved: &[u8]) -> io::Result<W> {
        let (offset, length) = self.room.unwrap_or_default();
        if length != reserved.len() {
            return Err(io::Error::other(
                "room was left for content of another length",
            ));
        }
        if length > 0 {
            let end = self.output.stream_position()?;
            self.output.seek(SeekFrom::Start(offset))?;
            self.output.write_all(reserved)?;
            self.output.seek(SeekFrom::Start(end))?;
        }
        Ok(self.output)
    }
}

impl<W: Write + Seek> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.output.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.output.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}
