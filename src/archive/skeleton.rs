//! The tar of an archive without the bytes of its executables, which were hashed elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use crate::content::Digest;

use super::tar_stream::TarSource;

/// A stretch of a tar.
pub(super) enum Stretch {
    /// Bytes: headers, padding, claims, the world.
    Bytes(Vec<u8>),
    /// The content of an executable: its size in bytes, and its digest.
    Executable(u64, Digest),
}

/// Reads as the tar does where its bytes are at hand, and fails where they are not. The executables can
/// only be skipped, so that none of them passes for something else.
pub(super) struct Skeleton {
    stretches: std::vec::IntoIter<Stretch>,
    current: Option<Stretch>,
    /// How much of the current stretch is behind, and how much of everything.
    within: u64,
    position: u64,
}

impl Skeleton {
    pub(super) fn new(stretches: Vec<Stretch>) -> Self {
        let mut stretches = stretches.into_iter();
        Self {
            current: stretches.next(),
            stretches,
            within: 0,
            position: 0,
        }
    }

    fn advance(&mut self, count: u64) {
        self.within += count;
        self.position += count;
    }

    /// What is left of the current stretch; goes on to the next when that is nothing.
    fn left(&mut self) -> u64 {
        loop {
            let length = match &self.current {
                None => return 0,
                Some(Stretch::Bytes(bytes)) => bytes.len() as u64,
                Some(Stretch::Executable(size, _)) => *size,
            };
            if self.within < length {
                return length - self.within;
            }
            self.current = self.stretches.next();
            self.within = 0;
        }
    }
}

/// The executables among some stretches, by where in the tar they begin.
pub(super) fn executables(stretches: &[Stretch]) -> BTreeMap<u64, (u64, Digest)> {
    let mut position = 0;
    let mut found = BTreeMap::new();
    for stretch in stretches {
        position += match stretch {
            Stretch::Bytes(bytes) => bytes.len() as u64,
            Stretch::Executable(size, digest) => {
                found.insert(position, (*size, digest.clone()));
                *size
            }
        };
    }
    found
}

impl Read for Skeleton {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left() == 0 {
            return Ok(0);
        }
        let Some(Stretch::Bytes(bytes)) = &self.current else {
            return Err(io::Error::other(
                "an executable is in the place of something else",
            ));
        };
        let within = usize::try_from(self.within).unwrap_or(usize::MAX);
        let count = bytes.get(within..).unwrap_or_default().read(buffer)?;
        self.advance(count as u64);
        Ok(count)
    }
}

impl TarSource for Skeleton {
    /// What was inflated was compared with what it took before.
    fn compressed(&self) -> Option<u64> {
        None
    }
}

impl Seek for Skeleton {
    /// Only forward, which is what skipping an entry takes.
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
