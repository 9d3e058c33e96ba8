//! The tar of an archive without the bytes of its executables, which were hashed elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::archive::format::gzip::TarSource;
use crate::archive::read::scan::Hashed;

pub(super) enum Stretch {
    /// Bytes: headers, padding, claims, the world.
    Bytes(Vec<u8>),
    /// The content of an executable.
    Executable(Hashed),
}

impl Stretch {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Executable(hashed) => hashed.size,
        }
    }
}

/// A reader of the tar that can skip executables. Reading the bytes of an executable fails, so that they are not taken
/// for another entry.
pub(super) struct Skeleton {
    stretches: Peekable<IntoIter<Stretch>>,
    /// The position in the current stretch.
    within: u64,
    /// The position in the tar.
    position: u64,
}

impl Skeleton {
    pub(super) fn new(stretches: Vec<Stretch>) -> Self {
        Self {
            stretches: stretches.into_iter().peekable(),
            within: 0,
            position: 0,
        }
    }

    fn advance(&mut self, count: u64) {
        self.within += count;
        self.position += count;
    }

    /// Returns how many bytes of the current stretch are left. Moves to the next stretch at the end of one.
    fn left(&mut self) -> u64 {
        while let Some(stretch) = self.stretches.peek() {
            if self.within < stretch.length() {
                return stretch.length() - self.within;
            }
            self.stretches.next();
            self.within = 0;
        }
        0
    }
}

/// Returns the executables among `stretches`, by their positions in the tar.
pub(super) fn executables(stretches: &[Stretch]) -> BTreeMap<u64, Hashed> {
    let mut position = 0;
    let mut found = BTreeMap::new();
    for stretch in stretches {
        if let Stretch::Executable(hashed) = stretch {
            found.insert(position, hashed.clone());
        }
        position += stretch.length();
    }
    found
}

impl Read for Skeleton {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left() == 0 {
            return Ok(0);
        }
        let Some(Stretch::Bytes(bytes)) = self.stretches.peek() else {
            let reason = "an executable is where another entry should be";
            return Err(io::Error::other(reason));
        };
        let within = usize::try_from(self.within).unwrap_or(usize::MAX);
        let count = bytes.get(within..).unwrap_or_default().read(buffer)?;
        self.advance(count as u64);
        Ok(count)
    }
}

impl TarSource for Skeleton {
    /// Returns `None`, because the ratio of compression has been checked already.
    fn compressed(&self) -> Option<u64> {
        None
    }
}

impl Seek for Skeleton {
    /// Seeks forward only. Skipping an entry needs nothing else.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(distance) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let mut count = u64::try_from(distance).map_err(|_| io::ErrorKind::Unsupported)?;
        while count > 0 {
            let step = self.left().min(count);
            if step == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.advance(step);
            count -= step;
        }
        Ok(self.position)
    }
}
