//! The file that all threads read from.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::archive::format::gzip::PART;
use crate::content::Meter;

/// Room for what surrounds the content of a part, compressed or not.
const AROUND: u64 = 4096;

/// Why an archive cannot be verified by its index.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The archive has no index, or the index or the archive is wrong. Reading the archive from its start
    /// finds out what it is.
    NotAsIndexed,
    /// A meter stopped the work.
    Stopped(io::Error),
}

/// A reader that any thread can use.
pub(super) trait ReadSeek: Read + Seek + Send {}

impl<F: Read + Seek + Send> ReadSeek for F {}

/// The file, shared by all threads.
pub(super) struct Source<'f> {
    file: Mutex<&'f mut dyn ReadSeek>,
    meter: &'f dyn Meter,
}

impl<'f> Source<'f> {
    pub(super) fn new(file: &'f mut dyn ReadSeek, meter: &'f dyn Meter) -> Self {
        Self {
            file: Mutex::new(file),
            meter,
        }
    }

    /// Replaces the bytes in `buffer` by those in `range` of the file.
    pub(super) fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Obstacle> {
        let length = range.end.saturating_sub(range.start);
        buffer.clear();
        // A buffer that grows by itself would take twice as much memory.
        let room = length.min(PART.into()) + AROUND;
        buffer.reserve_exact(usize::try_from(room).unwrap_or_default());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file
            .seek(SeekFrom::Start(range.start))
            .and_then(|_| (&mut **file).take(length).read_to_end(buffer));
        drop(file);
        self.meter.advance(length).map_err(Obstacle::Stopped)?;
        match read {
            Ok(count) if count as u64 == length => Ok(()),
            _ => Err(Obstacle::NotAsIndexed),
        }
    }
}
