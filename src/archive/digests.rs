//! The digests of several executables at the same time.
//!
//! Some threads inflate parts, one hashes them, and inflates too rather than wait. The parts come in
//! rounds: one of each executable that is on turn, so that they can be hashed together. Memory depends
//! on the number of lanes alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvError, Sender, TryRecvError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crc32fast::Hasher as Checksum;
use libdeflater::Decompressor;

use crate::content::{Digest, LANES, LaneHasher, update_together};

use super::gzip::Seal;
use super::index::IndexEntry;
use super::parallel::{Obstacle, Source};

/// How many threads inflate at most.
const THREADS: usize = 4;

/// How many parts are inflated before their turn. Each takes memory.
const AHEAD: usize = 5;

/// How much of each part is hashed at a time: so little that it is still in the core's cache when its
/// checksum has been computed.
const PIECE: usize = 64 * 1024;

/// What an executable has come to.
pub(super) struct Digested {
    pub(super) digest: Digest,
    pub(super) checksum: Checksum,
}

/// How many threads inflate. One core is left for hashing, which is slower than inflating and must not wait
/// for its turn.
pub(super) fn threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, THREADS)
}

/// The digests of `executables`, in their order, with so many threads besides this one.
pub(super) fn digests_of(
    executables: &[&IndexEntry],
    source: &Source<'_>,
    seal: &Seal,
    threads: usize,
) -> Result<Vec<Digested>, Obstacle> {
    let rounds = rounds(executables);
    let parts = Mutex::new(rounds.iter().flatten().enumerate());
    let (give_back, spare) = channel();
    // For the parts that are hashed, and for some of those that come next.
    for _ in 0..executables.len().min(LANES) + AHEAD {
        // The other end is still here.
        let _ = give_back.send(Vec::new());
    }
    let spare = Mutex::new(spare);
    let (inflated, results) = channel();
    let inflater = Inflater {
        parts: &parts,
        spare: &spare,
        source,
        seal,
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let inflated = inflated.clone();
            // Without any thread, nothing comes, which is noticed.
            let _ = thread::Builder::new().spawn_scoped(scope, || inflater.run(inflated));
        }
        drop(inflated);
        // It takes its ends of the channels along when it is done or fails, which ends the threads.
        hash(executables.len(), &rounds, &inflater, results, give_back)
    })
}

/// One part of an executable.
struct Part {
    executable: usize,
    range: Range<u64>,
    size: usize,
}

/// Shares the executables out to as many lanes as can be hashed together: each, the largest first, to the
/// lane with the least to do. A round has the next part of every lane.
fn rounds(executables: &[&IndexEntry]) -> Vec<Vec<Part>> {
    let mut by_size: Vec<_> = executables.iter().enumerate().collect();
    by_size.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.size));
    let mut lengths = [0; LANES];
    let mut rounds: Vec<Vec<Part>> = Vec::new();
    for (executable, entry) in by_size {
        let Some(length) = lengths.iter_mut().min() else {
            continue;
        };
        for (range, size) in entry.parts() {
            if rounds.len() <= *length {
                rounds.push(Vec::new());
            }
            if let Some(round) = rounds.get_mut(*length) {
                round.push(Part {
                    executable,
                    range,
                    size,
                });
            }
            *length += 1;
        }
    }
    rounds
}

/// What a thread that inflates needs: the parts in their order, and room for their content.
struct Inflater<'t, 'f, P> {
    parts: &'t Mutex<P>,
    spare: &'t Mutex<Receiver<Vec<u8>>>,
    source: &'t Source<'f>,
    seal: &'t Seal,
}

/// The number of a part, and its content.
type Inflated = (usize, Result<Vec<u8>, Obstacle>);

/// Says so when its thread panics, as a meter may: the part that it had will not come, and nobody is to
/// wait for it.
struct LastWords(Sender<Inflated>);

impl Drop for LastWords {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send((0, Err(Obstacle::NotAsIndexed)));
        }
    }
}

/// What a thread keeps from part to part.
#[derive(Default)]
struct Tools {
    decompressor: Decompressor,
    compressed: Vec<u8>,
}

impl<'p, P: Iterator<Item = (usize, &'p Part)>> Inflater<'_, '_, P> {
    /// Inflates parts until there are no more, or nobody wants them.
    fn run(&self, inflated: Sender<Inflated>) {
        let inflated = LastWords(inflated);
        let mut tools = Tools::default();
        while let Some(part) = self.next(&mut tools) {
            if inflated.0.send(part).is_err() {
                return;
            }
        }
    }

    /// The next part, as soon as there is room for it; `None` after the last.
    fn next(&self, tools: &mut Tools) -> Option<Inflated> {
        let room = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        self.next_into(room.ok()?, tools)
    }

    /// The next part; `None` if there is no room for it now, as well as after the last.
    fn next_if_room(&self, tools: &mut Tools) -> Option<Inflated> {
        // Who holds the lock waits for room.
        let room = self.spare.try_lock().ok()?.try_recv();
        self.next_into(room.ok()?, tools)
    }

    /// Takes a part only with room in hand, so that the first ones always have it.
    fn next_into(&self, room: Vec<u8>, tools: &mut Tools) -> Option<Inflated> {
        let next = self
            .parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next();
        let (number, part) = next?;
        Some((number, self.inflate(part, room, tools)))
    }

    fn inflate(
        &self,
        part: &Part,
        mut content: Vec<u8>,
        tools: &mut Tools,
    ) -> Result<Vec<u8>, Obstacle> {
        let Tools {
            decompressor,
            compressed,
        } = tools;
        self.source.read(part.range.clone(), compressed)?;
        self.seal
            .inflate(decompressor, compressed, &mut content, part.size)
            .map_err(|_| Obstacle::NotAsIndexed)?;
        if content.len() != part.size {
            return Err(Obstacle::NotAsIndexed);
        }
        Ok(content)
    }
}

/// Hashes the parts of round after round, whatever order they arrive in.
fn hash<'p>(
    executables: usize,
    rounds: &[Vec<Part>],
    inflater: &Inflater<'_, '_, impl Iterator<Item = (usize, &'p Part)>>,
    results: Receiver<Inflated>,
    give_back: Sender<Vec<u8>>,
) -> Result<Vec<Digested>, Obstacle> {
    let mut digested: Vec<_> = (0..executables)
        .map(|_| (LaneHasher::new(), Checksum::new()))
        .collect();
    let mut early = BTreeMap::new();
    let mut tools = Tools::default();
    let mut number = 0;
    for round in rounds {
        let mut parts = BTreeMap::new();
        for part in round {
            let content = loop {
                if let Some(content) = early.remove(&number) {
                    break content;
                }
                let inflated = match results.try_recv() {
                    Ok(inflated) => inflated,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => inflater
                        .next_if_room(&mut tools)
                        .map_or_else(|| results.recv(), Ok)
                        .map_err(|RecvError| Obstacle::NotAsIndexed)?,
                };
                let (number, result) = inflated;
                early.insert(number, result?);
            };
            number += 1;
            parts.insert(part.executable, content);
        }
        let longest = parts.values().map(Vec::len).max().unwrap_or_default();
        for at in (0..longest).step_by(PIECE) {
            let mut together = Vec::new();
            for (executable, (hasher, checksum)) in digested.iter_mut().enumerate() {
                let content = parts.get(&executable).map(Vec::as_slice);
                let rest = content
                    .and_then(|content| content.get(at..))
                    .unwrap_or_default();
                let piece = rest.get(..PIECE).unwrap_or(rest);
                if !piece.is_empty() {
                    checksum.update(piece);
                    together.push((hasher, piece));
                }
            }
            update_together(together);
        }
        for content in parts.into_values() {
            // The threads may have no more to do.
            let _ = give_back.send(content);
        }
    }
    let digested = digested.into_iter();
    let digested = digested.map(|(hasher, checksum)| Digested {
        digest: hasher.finish(),
        checksum,
    });
    Ok(digested.collect())
}
