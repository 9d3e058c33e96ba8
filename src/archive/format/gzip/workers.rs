//! The threads that compress.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use libdeflater::{CompressionLvl, Compressor};

use super::stitch::{GROWTH, Stitcher};

/// The level of compression. It makes files as small as those of `provider-archive`, which uses the best
/// level of `miniz`. Level 7 takes a third longer for 0.5 % less.
const LEVEL: i32 = 6;

/// A piece of the content, with buffers that are reused.
#[derive(Default)]
pub(super) struct Block {
    pub(super) content: Vec<u8>,
    /// The compressed form: a piece of a deflate stream that begins and ends at a whole byte.
    pub(super) deflated: Vec<u8>,
    pub(super) checksum: crc32fast::Hasher,
}

/// Receives a block that is being compressed. The channel is closed when its thread panics.
pub(super) type Compressed = Receiver<io::Result<Block>>;

struct Job {
    block: Block,
    done: SyncSender<io::Result<Block>>,
}

/// Threads that compress. They are started when there is work. Dropping this value waits until all of them have ended.
pub(super) struct Workers {
    limit: usize,
    threads: Vec<JoinHandle<()>>,
    /// The queue of jobs. `None` only while the workers are being dropped.
    jobs: Option<SyncSender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
}

impl Workers {
    /// Returns workers with at most `limit` threads, and a queue of at most `pending` blocks.
    pub(super) fn new(limit: usize, pending: usize) -> Self {
        let (jobs, queue) = sync_channel(pending);
        Self {
            limit,
            threads: Vec::new(),
            jobs: Some(jobs),
            queue: Arc::new(Mutex::new(queue)),
        }
    }

    pub(super) fn compress(&mut self, block: Block) -> io::Result<Compressed> {
        if self.threads.len() < self.limit {
            let queue = Arc::clone(&self.queue);
            let thread = Builder::new().name("par-gzip".to_owned());
            match thread.spawn(move || work(&queue)) {
                Ok(thread) => self.threads.push(thread),
                // The threads that were started before do the work.
                Err(error) if self.threads.is_empty() => return Err(error),
                Err(_) => self.limit = self.threads.len(),
            }
        }
        let (done, compressed) = sync_channel(1);
        self.jobs
            .as_ref()
            .and_then(|jobs| jobs.send(Job { block, done }).ok())
            .ok_or_else(panicked)?;
        Ok(compressed)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // `wait` reports a panic to a caller that needs the block.
            let _ = thread.join();
        }
    }
}

pub(super) fn wait(compressed: &Compressed) -> io::Result<Block> {
    compressed.recv().map_err(|_| panicked())?
}

fn panicked() -> io::Error {
    io::Error::other("a compressing thread panicked")
}

fn work(queue: &Mutex<Receiver<Job>>) {
    let mut deflater = Deflater::new();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { mut block, done }) = job else {
            break;
        };
        block.checksum = crc32fast::Hasher::new();
        block.checksum.update(&block.content);
        let deflated = deflater.deflate(&block.content, &mut block.deflated);
        // The receiver is gone when the encoder was dropped.
        let _ = done.send(deflated.map(|()| block));
    }
}

/// Compresses each block without referring to the blocks before it.
pub(super) struct Deflater {
    compressor: Compressor,
    stitcher: Stitcher,
}

impl Deflater {
    pub(super) fn new() -> Self {
        let level = CompressionLvl::new(LEVEL).unwrap_or_default();
        Self {
            compressor: Compressor::new(level),
            stitcher: Stitcher::new(),
        }
    }

    pub(super) fn deflate(&mut self, content: &[u8], deflated: &mut Vec<u8>) -> io::Result<()> {
        let bound = self.compressor.deflate_compress_bound(content.len());
        deflated.clear();
        deflated.reserve_exact(bound + GROWTH);
        deflated.resize(bound, 0);
        let length = self
            .compressor
            .deflate_compress(content, deflated)
            .map_err(io::Error::other)?;
        deflated.truncate(length);
        Ok(self.stitcher.open(deflated)?)
    }
}
