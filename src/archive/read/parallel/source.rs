//! The file that all threads read from, and the parts in it.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use libdeflater::Decompressor;

use crate::archive::format::gzip::{PART, Seal};
use crate::content::Meter;

/// How many bytes a part can have besides its content: the overhead of deflate, and the seal.
const AROUND: u64 = 4096;

/// Why an archive cannot be verified by its index.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The archive has no index, or the index does not fit the archive. Reading the archive from its start tells what
    /// is wrong.
    NotAsIndexed,
    /// A meter stopped the work.
    Stopped(io::Error),
}

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
        // Without reserving, the buffer would grow in steps and take up to twice as much memory.
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

/// Inflates parts of the file. Its buffer is reused.
pub(super) struct Inflater<'s> {
    source: &'s Source<'s>,
    seal: &'s Seal,
    decompressor: Decompressor,
    compressed: Vec<u8>,
}

impl<'s> Inflater<'s> {
    pub(super) fn new(source: &'s Source<'s>, seal: &'s Seal) -> Self {
        Self {
            source,
            seal,
            decompressor: Decompressor::new(),
            compressed: Vec::new(),
        }
    }

    /// Replaces `content` by the content of the part in `range` of the file, which is at most `limit` bytes.
    pub(super) fn inflate(
        &mut self,
        range: Range<u64>,
        content: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Obstacle> {
        self.source.read(range, &mut self.compressed)?;
        let (decompressor, compressed) = (&mut self.decompressor, &mut self.compressed);
        let inflated = self.seal.inflate(decompressor, compressed, content, limit);
        inflated.map_err(|_| Obstacle::NotAsIndexed)
    }
}
