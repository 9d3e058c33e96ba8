//! The digests of several executables at the same time.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crc32fast::Hasher as Checksum;
use libdeflater::Decompressor;

use crate::content::{Digest, LANES, LaneHasher, update_together, width};

use super::gzip::Seal;
use super::index::IndexEntry;
use super::parallel::{Obstacle, Source};

/// What an executable has come to.
pub(super) struct Digested {
    pub(super) digest: Digest,
    pub(super) checksum: Checksum,
}

/// The digests of `executables`, in their order.
///
/// The work goes in rounds. In each, every lane inflates one part, while the parts of the round before are
/// hashed. So memory depends on the number of lanes alone.
pub(super) fn digests_of(
    executables: &[&IndexEntry],
    source: &Source<'_>,
    seal: &Seal,
) -> Result<Vec<Digested>, Obstacle> {
    let width = width();
    let mut lanes = share_out(executables, width);
    let mut digested: Vec<_> = executables.iter().map(|entry| empty(entry)).collect();
    while lanes.iter().any(Lane::is_busy) {
        run(round(&mut lanes, width, source, seal))?;
        for lane in &mut lanes {
            if let Some((executable, done)) = lane.turn(width)
                && let Some(place) = digested.get_mut(executable)
            {
                *place = Some(done);
            }
        }
    }
    let digested: Option<_> = digested.into_iter().collect();
    digested.ok_or(Obstacle::NotAsIndexed)
}

/// What there is to do in one round; what takes longest comes last, and is taken first.
fn round<'t>(
    lanes: &'t mut [Lane],
    width: usize,
    source: &'t Source<'_>,
    seal: &'t Seal,
) -> Vec<Task<'t>> {
    let mut checksums: Vec<Task<'t>> = Vec::new();
    let mut inflating: Vec<Task<'t>> = Vec::new();
    let mut hashing = Vec::new();
    for lane in lanes {
        if lane.ready.is_some() {
            let (checksum, content) = (&mut lane.checksum, lane.content.as_slice());
            hashing.push((&mut lane.hasher, content));
            checksums.push(Box::new(move || {
                checksum.update(content);
                Ok(())
            }));
        }
        if let Some(part) = lane.coming.front().cloned() {
            let lane = &mut lane.inflating;
            inflating.push(Box::new(move || lane.run(part, source, seal)));
        }
    }
    let mut tasks = checksums;
    tasks.append(&mut inflating);
    while !hashing.is_empty() {
        let group = hashing.split_off(hashing.len().saturating_sub(width));
        tasks.push(Box::new(move || {
            update_together(group);
            Ok(())
        }));
    }
    tasks
}

/// What an executable without a byte, and so without a part, comes to.
fn empty(entry: &IndexEntry) -> Option<Digested> {
    (entry.size == 0).then(|| Digested {
        digest: Digest::of(&[]),
        checksum: Checksum::new(),
    })
}

type Task<'t> = Box<dyn FnOnce() -> Result<(), Obstacle> + Send + 't>;

/// Runs tasks on all cores, from the last to the first.
fn run(tasks: Vec<Task<'_>>) -> Result<(), Obstacle> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let helpers = threads.min(tasks.len()).saturating_sub(1);
    let tasks = Mutex::new(tasks);
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some(task) = next() {
            task()?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        // Fewer threads, or none beside this one, will do.
        let helpers: Vec<_> = (0..helpers)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut outcome = work();
        for helper in helpers {
            outcome = outcome.and(helper.join().unwrap_or(Err(Obstacle::NotAsIndexed)));
        }
        outcome
    })
}

/// One executable after the other: one part is inflated while the one before it is hashed.
struct Lane {
    coming: VecDeque<Part>,
    inflating: Inflating,
    /// The part that waits in `content` to be hashed.
    ready: Option<Part>,
    content: Vec<u8>,
    hasher: LaneHasher,
    checksum: Checksum,
}

#[derive(Clone)]
struct Part {
    executable: usize,
    range: Range<u64>,
    size: usize,
    last: bool,
}

struct Inflating {
    decompressor: Decompressor,
    compressed: Vec<u8>,
    content: Vec<u8>,
}

impl Inflating {
    fn run(&mut self, part: Part, source: &Source<'_>, seal: &Seal) -> Result<(), Obstacle> {
        let Self {
            decompressor,
            compressed,
            content,
        } = self;
        source.read(part.range, compressed)?;
        seal.inflate(decompressor, compressed, content, part.size)
            .map_err(|_| Obstacle::NotAsIndexed)?;
        if content.len() != part.size {
            return Err(Obstacle::NotAsIndexed);
        }
        Ok(())
    }
}

impl Lane {
    fn new(width: usize) -> Self {
        Self {
            coming: VecDeque::new(),
            inflating: Inflating {
                decompressor: Decompressor::new(),
                compressed: Vec::new(),
                content: Vec::new(),
            },
            ready: None,
            content: Vec::new(),
            hasher: LaneHasher::new(width),
            checksum: Checksum::new(),
        }
    }

    fn is_busy(&self) -> bool {
        self.ready.is_some() || !self.coming.is_empty()
    }

    /// Ends a round: what was ready has been hashed, and what was inflated is ready. Gives the executable
    /// that is done with, if one is.
    fn turn(&mut self, width: usize) -> Option<(usize, Digested)> {
        let done = self.ready.take().filter(|part| part.last).map(|part| {
            let hasher = mem::replace(&mut self.hasher, LaneHasher::new(width));
            let digest = hasher.finish();
            let checksum = mem::take(&mut self.checksum);
            (part.executable, Digested { digest, checksum })
        });
        self.ready = self.coming.pop_front();
        mem::swap(&mut self.content, &mut self.inflating.content);
        done
    }
}

/// Gives each executable, the largest first, to the lane that has least to do.
fn share_out(executables: &[&IndexEntry], width: usize) -> Vec<Lane> {
    let lanes = executables.len().min(LANES);
    let mut lanes: Vec<_> = (0..lanes).map(|_| Lane::new(width)).collect();
    let mut by_size: Vec<_> = executables.iter().enumerate().collect();
    by_size.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.size));
    for (executable, entry) in by_size {
        if let Some(lane) = lanes.iter_mut().min_by_key(|lane| lane.coming.len()) {
            let mut parts = entry.parts().peekable();
            while let Some((range, size)) = parts.next() {
                lane.coming.push_back(Part {
                    executable,
                    range,
                    size,
                    last: parts.peek().is_none(),
                });
            }
        }
    }
    lanes
}
