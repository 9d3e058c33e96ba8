//! Reading the tar inside an archive, compressed or not.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;

use crate::archive::compression::Compression;
use crate::archive::error::Error;

const BUFFER: usize = 128 * 1024;

/// Reads the tar inside an archive. The first bytes, not the file name, tell whether the archive is compressed.
pub(in crate::archive) enum Tar<'i> {
    Plain(Buffered<'i>),
    Gzip(Box<GzDecoder<Buffered<'i>>>),
}

/// The first bytes of the archive, which have been read already, and then the rest of it.
type Buffered<'i> = BufReader<io::Chain<Cursor<Vec<u8>>, Tracked<'i>>>;

/// The first bytes of each gzip member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Returns whether an archive that begins with `start` is compressed.
pub(crate) fn is_compressed(start: &[u8]) -> bool {
    start.starts_with(&MAGIC)
}

impl<'i> Tar<'i> {
    /// Reads the first bytes of `input`, which tell the form of the archive. `failure` keeps an error of `input`.
    pub(in crate::archive) fn open(
        input: &'i mut dyn Read,
        failure: Failure,
    ) -> Result<Self, Error> {
        let mut input = Tracked {
            inner: input,
            read: 0,
            failure: failure.clone(),
        };
        let mut start = Vec::with_capacity(8);
        input
            .by_ref()
            .take(8)
            .read_to_end(&mut start)
            .map_err(|error| Error::Stream(failure.take().unwrap_or(error)))?;
        let magic = start.clone();
        let input = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(input));
        match magic.as_slice() {
            [] => Err(Error::NotAnArchive("it is empty")),
            magic if is_compressed(magic) => Ok(Self::Gzip(Box::new(GzDecoder::new(input)))),
            [b'P', b'K', 3, 4, ..] => Err(Error::Zip),
            [0, b'a', b's', b'm', ..] => Err(Error::Component),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(Error::NotAnArchive(
                "it is compressed with Zstandard, and hosts read only gzip",
            )),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(Error::NotAnArchive(
                "it is compressed with xz, and hosts read only gzip",
            )),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err(Error::NotAnArchive(
                "it is compressed with bzip2, and hosts read only gzip",
            )),
            _ => Ok(Self::Plain(input)),
        }
    }

    pub(in crate::archive) fn compression(&self) -> Compression {
        match self {
            Self::Plain(_) => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
        }
    }

    /// Ends reading, and checks that nothing follows the gzip member. The decoder checked the trailer of the member
    /// when it reached the end.
    pub(in crate::archive) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(decoder) => match decoder.into_inner().fill_buf() {
                Ok([]) => Ok(()),
                Ok(_) => Err(Error::TrailingData),
                Err(error) => Err(Error::Stream(error)),
            },
        }
    }
}

/// Whether another member follows the member that `decoder` has read, as in the output of `bgzip` and of `cat a.gz
/// b.gz`. Hosts read the first member only. So the tar may not end here, and the next member is not read as a part of
/// it.
fn is_followed(decoder: &mut GzDecoder<Buffered<'_>>) -> io::Result<bool> {
    let start = decoder.get_mut().fill_buf()?;
    let mut both = start.iter().zip(&MAGIC);
    Ok(!start.is_empty() && both.all(|(byte, expected)| byte == expected))
}

impl Read for Tar<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(decoder) => match decoder.read(buffer)? {
                0 if !buffer.is_empty() && is_followed(decoder)? => {
                    Err(io::Error::other(Error::SeveralMembers))
                }
                count => Ok(count),
            },
        }
    }
}

/// A reader of a tar.
pub(in crate::archive) trait TarSource: Read {
    /// Returns how many compressed bytes have been inflated so far. `None` when the tar is not compressed.
    fn compressed(&self) -> Option<u64>;
}

impl TarSource for Tar<'_> {
    fn compressed(&self) -> Option<u64> {
        let Self::Gzip(decoder) = self else {
            return None;
        };
        let input = decoder.get_ref();
        let (_, tracked) = input.get_ref().get_ref();
        Some(tracked.read.saturating_sub(input.buffer().len() as u64))
    }
}

/// Keeps the error of the input, so that it is not taken for damage of the archive. The gzip decoder and the tar reader
/// report both as an `io::Error`.
#[derive(Clone, Default)]
pub(in crate::archive) struct Failure(Rc<RefCell<Option<io::Error>>>);

impl Failure {
    pub(in crate::archive) fn take(&self) -> Option<io::Error> {
        self.0.borrow_mut().take()
    }
}

/// Counts the bytes of the input and keeps its error.
pub(in crate::archive) struct Tracked<'i> {
    inner: &'i mut dyn Read,
    /// How many bytes were read, the first bytes of the archive included.
    read: u64,
    failure: Failure,
}

impl Read for Tracked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let kind = error.kind();
            *self.failure.0.borrow_mut() = Some(error);
            kind.into()
        })?;
        self.read += count as u64;
        Ok(count)
    }
}
