//! Where executables come from, and noticing that one changes while it is packed.

use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use crc32fast::Hasher as Checksum;

use crate::content::{Meter, open_regular};

use super::error::Error;
use super::fingerprints::Fingerprint;

/// File systems count time in steps of up to two seconds (FAT): a file as young as that can change
/// again without its time showing it.
const YOUNG: Duration = Duration::from_secs(2);

/// Where an executable comes from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file, which is never held in memory.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl Input {
    pub(super) fn open(&self) -> Result<Opened<'_>, Error> {
        let (content, size, state) = match self {
            Self::File(path) => {
                let opened_at = SystemTime::now();
                let (file, size) = open_regular(path).map_err(|source| self.read_error(source))?;
                let metadata = file.metadata().map_err(|source| self.read_error(source))?;
                let state = State::new(&metadata);
                let trusted = state.is_older(opened_at);
                (Content::File(file), size, Some((state, trusted)))
            }
            Self::Bytes(bytes) => (
                Content::Bytes(Cursor::new(bytes.clone())),
                bytes.len() as u64,
                None,
            ),
        };
        Ok(Opened {
            input: self,
            content,
            size,
            read: 0,
            checksum: Checksum::new(),
            state,
        })
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Bytes(_) => PathBuf::from("(memory)"),
        }
    }

    fn read_error(&self, source: io::Error) -> Error {
        Error::Read {
            path: self.path(),
            source,
        }
    }

    fn changed(&self) -> Error {
        Error::InputChanged(self.path())
    }
}

/// An input that is being read.
pub(super) struct Opened<'a> {
    input: &'a Input,
    content: Content,
    size: u64,
    /// How much has been read, and the checksum of that.
    read: u64,
    checksum: Checksum,
    /// Of a file: what it was when it was opened, and whether a change of it would show.
    state: Option<(State, bool)>,
}

impl<'a> Opened<'a> {
    /// How many bytes there are, and will be.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads into `buffer`, and gives how much; 0 at the end. The content has to be as long as it was
    /// when the input was opened.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = self
            .content
            .read(buffer)
            .map_err(|source| self.input.read_error(source))?;
        self.read += count as u64;
        if self.read > self.size || (count == 0 && self.read < self.size) {
            return Err(self.input.changed());
        }
        self.checksum
            .update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// The CRC-32 of what has been read.
    pub(super) fn checksum(self) -> u32 {
        self.checksum.finalize()
    }

    /// Copies the content to `output`.
    pub(super) fn copy(
        mut self,
        output: &mut impl Write,
        meter: &dyn Meter,
    ) -> Result<Packed<'a>, Error> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count = self.read(&mut buffer)?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            output.write_all(bytes).map_err(Error::Stream)?;
            meter.advance(count as u64).map_err(Error::Stream)?;
        }
        Ok(Packed {
            input: self.input,
            checksum: self.checksum.finalize(),
            state: self.state,
        })
    }
}

enum Content {
    File(File),
    Bytes(Cursor<Bytes>),
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

/// An input that has been read to its end.
pub(super) struct Packed<'a> {
    input: &'a Input,
    checksum: u32,
    state: Option<(State, bool)>,
}

impl Packed<'_> {
    /// Checks that the input is still what was read, which is also what came to `fingerprint`. Otherwise
    /// it may be neither the old nor the new content, but some of both.
    ///
    /// A file's time tells. Where it cannot, because the file was only just written, the content is
    /// read again.
    pub(super) fn check(&self, fingerprint: &Fingerprint, meter: &dyn Meter) -> Result<(), Error> {
        if fingerprint.checksum != self.checksum {
            return Err(self.input.changed());
        }
        let Some((state, trusted)) = &self.state else {
            return Ok(());
        };
        let now = self.input.open()?;
        if now.state.as_ref().map(|(state, _)| state) != Some(state) {
            return Err(self.input.changed());
        }
        if !trusted && now.copy(&mut io::sink(), &Uncounted(meter))?.checksum != self.checksum {
            return Err(self.input.changed());
        }
        Ok(())
    }
}

/// What changes when a file does.
#[derive(Debug, PartialEq, Eq)]
struct State {
    length: u64,
    modified: Option<SystemTime>,
    /// Device and number of the file.
    #[cfg(unix)]
    identity: (u64, u64),
}

impl State {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: metadata.len(),
            // Every system that has files has this one, or the content is read again.
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino()),
        }
    }

    fn is_older(&self, now: SystemTime) -> bool {
        self.modified
            .and_then(|modified| now.duration_since(modified).ok())
            .is_some_and(|age| age > YOUNG)
    }
}

/// A meter for what was counted before: it can only stop the work.
struct Uncounted<'a>(&'a dyn Meter);

impl Meter for Uncounted<'_> {
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        self.0.advance(0)
    }
}
