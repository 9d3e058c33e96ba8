//! The digests of several executables at the same time.
//!
//! Each thread takes the next part, inflates it, waits until the parts before it have been added to the digest of the
//! executable, and adds it. The first parts of all executables are taken first, then their second parts, and so on, so
//! that the threads hash different executables. Each thread has one part in memory.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crc32fast::Hasher as Checksum;

use crate::archive::executable::{Collector, ExecutableFacts};
use crate::archive::format::IndexEntry;
use crate::archive::format::gzip::Seal;
use crate::content::{Algorithm, Digest, Hasher};

use super::source::{Inflater, Obstacle, Source};

/// The most threads. Each takes up to 5 MiB of memory.
const MOST_THREADS: usize = 6;

/// The most executables whose facts are read. Each takes up to 2.5 MiB of memory until its last part.
const MOST_FACTS: usize = 32;

pub(super) struct Digested {
    pub(super) digest: Digest,
    pub(super) checksum: Checksum,
    pub(super) facts: ExecutableFacts,
}

/// Returns the digests of `executables`, in their order.
pub(super) fn digests_of<'s>(
    executables: &[&IndexEntry],
    source: &'s Source<'s>,
    seal: &'s Seal,
) -> Result<Vec<Digested>, Obstacle> {
    let work = Work {
        source,
        seal,
        parts: in_turns(executables),
        next: AtomicUsize::new(0),
        chains: (0..executables.len()).map(Chain::new).collect(),
        failure: Mutex::default(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..cores.min(MOST_THREADS).min(work.parts.len()) {
            // This thread does the same work, so the work is done even when no other thread can start.
            let _ = thread::Builder::new()
                .name("par-verify".to_owned())
                .spawn_scoped(scope, || work.run());
        }
        work.run();
    });
    if let Some(obstacle) = locked(&work.failure).take() {
        return Err(obstacle);
    }
    let digested = work.chains.into_iter().map(|chain| {
        let state = chain.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        Digested {
            digest: state.hasher.finish(),
            checksum: state.checksum,
            facts: state.collector.map(Collector::finish).unwrap_or_default(),
        }
    });
    Ok(digested.collect())
}

/// One part of an executable.
struct Part {
    /// The position of the executable among all executables.
    executable: usize,
    /// The position of the part among those of its executable.
    number: usize,
    range: Range<u64>,
    size: usize,
}

/// Returns the parts of all executables: all first parts, then all second parts, and so on.
fn in_turns(executables: &[&IndexEntry]) -> Vec<Part> {
    let parts = executables
        .iter()
        .enumerate()
        .flat_map(|(executable, entry)| {
            let parts = entry.parts().enumerate();
            parts.map(move |(number, (range, size))| Part {
                executable,
                number,
                range,
                size,
            })
        });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|part| part.number);
    parts
}

/// The digest of an executable, to which its parts are added in order.
struct Chain {
    state: Mutex<State>,
    added: Condvar,
}

struct State {
    /// How many parts have been added.
    parts: usize,
    hasher: Hasher,
    checksum: Checksum,
    /// Reads the facts, unless there are many executables.
    collector: Option<Collector>,
    /// Whether a part failed. The parts after it are not added.
    is_broken: bool,
}

impl Chain {
    /// Returns the state of the executable at this position among all executables.
    fn new(position: usize) -> Self {
        Self {
            state: Mutex::new(State {
                parts: 0,
                hasher: Hasher::new(Algorithm::Sha256),
                checksum: Checksum::new(),
                collector: (position < MOST_FACTS).then(Collector::default),
                is_broken: false,
            }),
            added: Condvar::new(),
        }
    }

    /// Waits until the parts before `number` have been added, and adds the part `number`, unless a part failed.
    fn add(&self, number: usize, content: &[u8]) {
        let state = locked(&self.state);
        let mut state = self
            .added
            .wait_while(state, |state| state.parts < number && !state.is_broken)
            .unwrap_or_else(PoisonError::into_inner);
        if !state.is_broken {
            state.hasher.update(content);
            state.checksum.update(content);
            if let Some(collector) = &mut state.collector {
                collector.add(content);
            }
            state.parts += 1;
        }
        drop(state);
        self.added.notify_all();
    }
}

/// The state that all threads share.
struct Work<'w> {
    source: &'w Source<'w>,
    seal: &'w Seal,
    parts: Vec<Part>,
    /// The position of the next part.
    next: AtomicUsize,
    chains: Vec<Chain>,
    failure: Mutex<Option<Obstacle>>,
}

impl Work<'_> {
    /// Inflates and adds parts until all are taken.
    fn run(&self) {
        let _guard = PanicGuard(self);
        let mut inflater = Inflater::new(self.source, self.seal);
        let mut content = Vec::new();
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            match inflater.inflate(part.range.clone(), &mut content, part.size) {
                Ok(()) if content.len() == part.size => {
                    if let Some(chain) = self.chains.get(part.executable) {
                        chain.add(part.number, &content);
                    }
                }
                Ok(()) => self.fail(Obstacle::NotAsIndexed),
                Err(obstacle) => self.fail(obstacle),
            }
        }
    }

    /// Ends the work of all threads.
    fn fail(&self, obstacle: Obstacle) {
        locked(&self.failure).get_or_insert(obstacle);
        self.next.store(self.parts.len(), Ordering::Relaxed);
        for chain in &self.chains {
            locked(&chain.state).is_broken = true;
            chain.added.notify_all();
        }
    }
}

/// Ends the work of all threads when the thread of this value panics, for example in a meter. Otherwise the other
/// threads would wait for a part that never comes.
struct PanicGuard<'g, 'w>(&'g Work<'w>);

impl Drop for PanicGuard<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Obstacle::NotAsIndexed);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
