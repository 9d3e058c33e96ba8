//! One gzip member, compressed on all cores.

use std::collections::VecDeque;
use std::io::{self, Seek, SeekFrom, Write};
use std::mem;
use std::ops::Range;
use std::thread;

use crc32fast::Hasher;

use super::blocks::{END, store};
use super::member::{self, header, trailer};
use super::workers::{Block, Compressed, Workers, wait};

/// The size of a part, in bytes of content. With parts of half the size, files are 0.1 % larger, and larger
/// than those of `provider-archive`.
pub(in crate::archive) const PART: u32 = 2 * 1024 * 1024;

pub(super) const BLOCK: usize = PART as usize;

/// The most threads. Each takes about 5 MiB of memory.
const MOST_THREADS: usize = 10;

/// A position in the content where a part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct Mark(usize);

/// Compresses the bytes that are written to it into one gzip member. The member does not depend on the number of
/// threads.
pub(in crate::archive) struct GzipEncoder<W> {
    output: W,
    /// The position in `output` where the member begins.
    start: u64,
    /// The length of the member so far.
    written: u64,
    extra: u16,
    workers: Workers,
    most_pending: usize,
    pending: VecDeque<Pending>,
    spare: Vec<Block>,
    current: Block,
    /// The position of each part that was written, in bytes from the start of the member.
    parts: Vec<u64>,
    room: Option<Room>,
    checksum: Hasher,
    length: u64,
    failed: bool,
}

/// A part of the content, in the order of the file.
enum Pending {
    Compressed(Compressed),
    Room(usize),
}

/// Room for content that is written last.
struct Room {
    offset: u64,
    length: usize,
    /// The checksum of the content before the room.
    before: Hasher,
}

impl<W: Write + Seek> GzipEncoder<W> {
    /// Creates an encoder that writes to `output` from its position. The header gets an extra field of
    /// `extra` bytes, which [`Finished::set_extra`] sets.
    pub(in crate::archive) fn new(output: W, extra: u16) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(output, extra, threads.min(MOST_THREADS))
    }

    pub(super) fn with_threads(mut output: W, extra: u16, threads: usize) -> io::Result<Self> {
        // Two blocks wait for a thread or for the output while the others are compressed.
        let most_pending = threads + 2;
        let mut encoder = Self {
            start: output.stream_position()?,
            output,
            written: 0,
            extra,
            workers: Workers::new(threads, most_pending),
            most_pending,
            pending: VecDeque::new(),
            spare: Vec::new(),
            current: Block::default(),
            parts: Vec::new(),
            room: None,
            checksum: Hasher::new(),
            length: 0,
            failed: false,
        };
        encoder.put(&header(extra))?;
        Ok(encoder)
    }

    /// Begins a new part with the next byte that is written. A part can be inflated alone.
    pub(in crate::archive) fn restart_point(&mut self) -> io::Result<Mark> {
        self.submit()?;
        Ok(Mark(self.parts.len() + self.pending.len()))
    }

    /// Leaves room for `length` bytes of content, which are passed to [`finish`](Self::finish) and are not compressed.
    /// This can be done once.
    pub(in crate::archive) fn reserve(&mut self, length: usize) -> io::Result<()> {
        self.submit()?;
        self.enqueue(Pending::Room(length))
    }

    /// Ends the member, and writes `reserved` where room was left for it.
    pub(in crate::archive) fn finish(mut self, reserved: &[u8]) -> io::Result<Finished<W>> {
        self.submit()?;
        while !self.pending.is_empty() {
            self.write_oldest()?;
        }
        if self.failed {
            return Err(io::Error::other("a write failed before"));
        }
        self.parts.push(self.written);
        if self.room.as_ref().map_or(0, |room| room.length) != reserved.len() {
            let reason = "room was left for content of another length";
            return Err(io::Error::other(reason));
        }
        if let Some(room) = self.room.take() {
            let mut checksum = room.before;
            checksum.update(reserved);
            checksum.combine(&self.checksum);
            self.checksum = checksum;
            let end = SeekFrom::Start(self.start + self.written);
            self.output
                .seek(SeekFrom::Start(self.start + room.offset))?;
            self.output.write_all(&store(reserved))?;
            self.output.seek(end)?;
        }
        self.put(&END)?;
        let checksum = self.checksum.clone().finalize();
        self.put(&trailer(checksum, self.length))?;
        Ok(Finished {
            output: self.output,
            start: self.start,
            written: self.written,
            extra: self.extra,
            parts: self.parts,
        })
    }

    /// Hands the current block to the workers, unless it is empty.
    fn submit(&mut self) -> io::Result<()> {
        if self.current.content.is_empty() {
            return Ok(());
        }
        let next = self.spare.pop().unwrap_or_default();
        let block = mem::replace(&mut self.current, next);
        let compressed = self.workers.compress(block);
        let compressed = compressed.inspect_err(|_| self.failed = true)?;
        self.enqueue(Pending::Compressed(compressed))
    }

    fn enqueue(&mut self, part: Pending) -> io::Result<()> {
        self.pending.push_back(part);
        while self.pending.len() >= self.most_pending {
            self.write_oldest()?;
        }
        Ok(())
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(oldest) = self.pending.pop_front() else {
            return Ok(());
        };
        self.parts.push(self.written);
        let written = match oldest {
            Pending::Compressed(compressed) => self.write_block(&compressed),
            Pending::Room(length) => self.write_room(length),
        };
        // The file lacks a part now, and cannot be completed.
        written.inspect_err(|_| self.failed = true)
    }

    fn write_block(&mut self, compressed: &Compressed) -> io::Result<()> {
        let mut block = wait(compressed)?;
        self.put(&block.deflated)?;
        self.checksum.combine(&block.checksum);
        self.length += block.content.len() as u64;
        block.content.clear();
        self.spare.push(block);
        Ok(())
    }

    fn write_room(&mut self, length: usize) -> io::Result<()> {
        if self.room.is_some() {
            return Err(io::Error::other("room was left already"));
        }
        self.room = Some(Room {
            offset: self.written,
            length,
            before: mem::take(&mut self.checksum),
        });
        self.length += length as u64;
        self.put(&store(&vec![0; length]))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write + Seek> Write for GzipEncoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let content = &mut self.current.content;
        let room = BLOCK.saturating_sub(content.len());
        let bytes = bytes.get(..room).unwrap_or(bytes);
        // The buffer stays small for headers and padding. For longer content it grows to its full size at once.
        if content.len() + bytes.len() > content.capacity().max(BLOCK / 16) {
            content.reserve_exact(room);
        }
        content.extend_from_slice(bytes);
        if content.len() >= BLOCK {
            self.submit()?;
        }
        Ok(bytes.len())
    }

    /// Writes the blocks that are being compressed. The current block stays open.
    fn flush(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            self.write_oldest()?;
        }
        self.output.flush()
    }
}

/// A member that is complete except for its extra field.
pub(in crate::archive) struct Finished<W> {
    output: W,
    start: u64,
    written: u64,
    extra: u16,
    parts: Vec<u64>,
}

impl<W: Write + Seek> Finished<W> {
    /// Returns the range between two restart points, in bytes from the start of the member, and the length
    /// of each part in it.
    pub(in crate::archive) fn parts(
        &self,
        begin: Mark,
        end: Mark,
    ) -> Option<(Range<u64>, Vec<u32>)> {
        let offsets = self.parts.get(begin.0..=end.0)?;
        let lengths = offsets.windows(2).map(|part| match part {
            [begin, end] => u32::try_from(end - begin).ok(),
            _ => None,
        });
        Some((
            *offsets.first()?..*offsets.last()?,
            lengths.collect::<Option<_>>()?,
        ))
    }

    /// Sets the extra field: subfields (RFC 1952, section 2.3.1.1) of exactly the length of the field.
    pub(in crate::archive) fn set_extra(&mut self, subfields: &[u8]) -> io::Result<()> {
        if subfields.len() != usize::from(self.extra) {
            return Err(io::Error::other("the extra field has another length"));
        }
        let end = SeekFrom::Start(self.start + self.written);
        self.output
            .seek(SeekFrom::Start(self.start + member::EXTRA))?;
        self.output.write_all(subfields)?;
        self.output.seek(end).map(|_| ())
    }

    pub(in crate::archive) fn into_output(self) -> W {
        self.output
    }
}
