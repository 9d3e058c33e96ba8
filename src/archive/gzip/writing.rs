//! Writing an archive, compressed or not.

use std::io::{self, Seek, SeekFrom, Write};

use super::encoder::{Finished, GzipEncoder, Mark};

/// Takes the bytes of a tar and writes the archive: as they are, or as one gzip member.
pub(in crate::archive) enum Encoder<W> {
    Plain(Plain<W>),
    Gzip(Box<GzipEncoder<W>>),
}

pub(in crate::archive) struct Plain<W> {
    output: W,
    /// Where room was left, and how much.
    room: Option<(u64, usize)>,
}

impl<W: Write + Seek> Encoder<W> {
    /// Writes a plain archive.
    pub(in crate::archive) fn plain(output: W) -> Self {
        Self::Plain(Plain { output, room: None })
    }

    /// Writes a compressed archive with room for `extra` bytes in the header.
    pub(in crate::archive) fn gzip(output: W, extra: u16) -> io::Result<Self> {
        Ok(Self::Gzip(Box::new(GzipEncoder::new(output, extra)?)))
    }

    /// What is written next can be inflated on its own. `None` when nothing is compressed.
    pub(in crate::archive) fn restart_point(&mut self) -> io::Result<Option<Mark>> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Gzip(encoder) => encoder.restart_point().map(Some),
        }
    }

    /// Leaves room for `length` bytes that only [`finish`](Self::finish) gets to know; possible once.
    pub(in crate::archive) fn reserve(&mut self, length: usize) -> io::Result<()> {
        match self {
            Self::Plain(plain) => {
                plain.room = Some((plain.output.stream_position()?, length));
                plain.output.write_all(&vec![0; length])
            }
            Self::Gzip(encoder) => encoder.reserve(length),
        }
    }

    /// Ends the archive, with `reserved` where room was left for it, and with what `extra` makes of the
    /// finished member in its header.
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
            return Err(io::Error::other("room was left for another length"));
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
