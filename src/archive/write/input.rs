//! The sources of executables. A change of a file while it is packed is an error.

use std::fs::Metadata;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::archive::error::Error;
use crate::archive::hashing::digest_of;
use crate::content::{Digest, Meter, open_regular};

/// The age up to which the time of modification of a file cannot show a change. File systems count time in steps of up
/// to two seconds (FAT), so a file that was just written can change again and keep its time.
const YOUNG: Duration = Duration::from_secs(2);

/// The source of an executable.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A file, which is never held in memory.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl Input {
    pub(super) fn open(&self) -> Result<Opened<'_>, Error> {
        let (content, size, state): (Box<dyn Read>, _, _) = match self {
            Self::File(path) => {
                let opened_at = SystemTime::now();
                let (file, size) = open_regular(path).map_err(|source| self.read_error(source))?;
                let metadata = file.metadata().map_err(|source| self.read_error(source))?;
                let state = State::new(&metadata);
                let trusted = state.is_older(opened_at);
                (Box::new(file), size, Some((state, trusted)))
            }
            Self::Bytes(bytes) => (Box::new(bytes.as_ref()), bytes.len() as u64, None),
        };
        Ok(Opened {
            input: self,
            content,
            size,
            read: 0,
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
        Error::read(&self.path(), source)
    }

    fn changed(&self) -> Error {
        Error::InputChanged(self.path())
    }
}

/// An input that is being read.
pub(super) struct Opened<'a> {
    input: &'a Input,
    content: Box<dyn Read + 'a>,
    size: u64,
    /// How many bytes have been read.
    read: u64,
    /// The state of a file when it was opened, and whether a later change would be visible in the state.
    state: Option<(State, bool)>,
}

impl<'a> Opened<'a> {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads into `buffer`, and returns how many bytes; 0 at the end. The content has to be as long as it
    /// was when the input was opened.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = self.content.read(buffer);
        let count = count.map_err(|source| self.input.read_error(source))?;
        self.read += count as u64;
        if self.read > self.size || (count == 0 && self.read < self.size) {
            return Err(self.input.changed());
        }
        Ok(count)
    }

    /// Copies the content to `output` and hashes it.
    pub(super) fn copy(
        mut self,
        output: &mut impl Write,
        advance: impl Fn(u64) -> io::Result<()>,
    ) -> Result<Packed<'a>, Error> {
        let digest = digest_of(&mut |buffer| {
            let count = self.read(buffer)?;
            output
                .write_all(buffer.get(..count).unwrap_or_default())
                .and_then(|()| advance(count as u64))
                .map_err(Error::Stream)?;
            Ok(count)
        })?;
        Ok(Packed {
            input: self.input,
            digest,
            state: self.state,
        })
    }
}

pub(super) struct Packed<'a> {
    input: &'a Input,
    digest: Digest,
    state: Option<(State, bool)>,
}

impl Packed<'_> {
    /// Returns the digest of the content, after a check that the input did not change while it was read. A change is
    /// visible in the time of the file. A file that was written only seconds before is read again, because it may have
    /// changed and kept its time.
    pub(super) fn unchanged(self, meter: &dyn Meter) -> Result<Digest, Error> {
        if let Some((state, trusted)) = &self.state {
            let now = self.input.open()?;
            if now.state.as_ref().map(|(state, _)| state) != Some(state) {
                return Err(self.input.changed());
            }
            // These bytes were counted before. The meter can only stop the work.
            let stop = |_| meter.advance(0);
            if !trusted && now.copy(&mut io::sink(), stop)?.digest != self.digest {
                return Err(self.input.changed());
            }
        }
        Ok(self.digest)
    }
}

/// The metadata in which a change of the file is visible.
#[derive(Debug, PartialEq, Eq)]
struct State {
    length: u64,
    modified: Option<SystemTime>,
    /// The device and the inode number of the file.
    #[cfg(unix)]
    identity: (u64, u64),
}

impl State {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: metadata.len(),
            // Without a time, the content is read again.
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
