//! Locks on files of the cache, between processes and between the tasks of one process.
//!
//! A task that waits for a lock takes no thread of the runtime. Otherwise, all threads for blocking work could wait,
//! and the task with the lock would get no thread. A task stops waiting when its future is dropped.
//!
//! On a file system without locks, only the tasks of one process wait for each other. Each process then uses files of
//! its own. Two processes may do the same work, but they do not change each other's files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, OpenOptions, remove_file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::content::{
    LONG_WORK, Locking, RuntimeEnded, blocking, directory_of, if_found, is_at, open_itself,
};

use super::error::Error;
use super::files::open_file;
use super::waiting::Waiting;

/// The files that tasks of this process have locked, each with a channel that closes when the lock ends.
static TURNS: Mutex<BTreeMap<PathBuf, watch::Receiver<()>>> = Mutex::new(BTreeMap::new());

/// Another task has locked a file.
#[derive(Debug)]
pub(super) struct Busy {
    path: PathBuf,
    /// Closes when the lock ends. `None` when another process has it.
    unlocked: Option<watch::Receiver<()>>,
}

impl Busy {
    /// Another process has locked the file at `path`, or a task of this process has locked it for a moment.
    pub(super) fn elsewhere(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            unlocked: None,
        }
    }

    /// Notes a wait for another process.
    fn note(&self, waiting: &mut Waiting) {
        if self.unlocked.is_none() {
            waiting.note(&self.path);
        }
    }

    /// Waits before another attempt: until a task of this process unlocks the file, or for `interval`, because another
    /// process cannot notify this one.
    pub(super) async fn wait(self, interval: Duration) {
        match self.unlocked {
            Some(mut unlocked) => while unlocked.changed().await.is_ok() {},
            None => tokio::time::sleep(interval).await,
        }
    }
}

/// The right of one task of this process to lock a file.
#[derive(Debug)]
struct Turn {
    path: PathBuf,
    /// Wakes the tasks that wait for this turn when it is dropped together with the turn.
    _unlocked: watch::Sender<()>,
}

impl Turn {
    fn take(path: &Path) -> Result<Self, Busy> {
        match turns().entry(path.to_owned()) {
            Entry::Occupied(taken) => Err(Busy {
                path: path.to_owned(),
                unlocked: Some(taken.get().clone()),
            }),
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(());
                free.insert(receiver);
                Ok(Self {
                    path: path.to_owned(),
                    _unlocked: sender,
                })
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        turns().remove(&self.path);
    }
}

fn turns() -> MutexGuard<'static, BTreeMap<PathBuf, watch::Receiver<()>>> {
    TURNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open file that one task of one process has locked. Dropping it unlocks the file, which stays.
#[derive(Debug)]
pub(super) struct LockedFile {
    pub(super) path: PathBuf,
    // The file is declared before the turn, so that it is unlocked before the next task tries.
    pub(super) file: File,
    _turn: Option<Turn>,
}

impl LockedFile {
    /// Opens and locks the file at `path`, which is created if it is missing.
    pub(super) fn try_open(path: &Path) -> io::Result<Result<Self, Busy>> {
        let turn = match Turn::take(path) {
            Ok(turn) => turn,
            Err(busy) => return Ok(Err(busy)),
        };
        loop {
            let file = open(path)?;
            match Locking::exclusive(&file, path)? {
                Locking::Busy => return Ok(Err(Busy::elsewhere(path))),
                Locking::Locked if is_at(&file, path)? => {
                    return Ok(Ok(Self::new(path, file, Some(turn))));
                }
                // The previous holder of the lock has removed the file or given it its final name.
                Locking::Locked => {}
                Locking::Unsupported => return Self::unshared(path, turn).map(Ok),
            }
        }
    }

    /// Opens a file for this process alone, instead of the file at `path`. For a file system without locks.
    fn unshared(path: &Path, turn: Turn) -> io::Result<Self> {
        // Remove the file at `path` if it is empty: opening created it, and it is not used. It may have content from
        // another system that has locks. Another process may have removed it already.
        let found = if_found(fs::metadata(path))?;
        if found.is_some_and(|found| found.len() == 0) {
            if_found(remove_file(path))?;
        }
        let directory = directory_of(path);
        let name = path.file_name().unwrap_or_default();
        let own = tempfile::Builder::new()
            .prefix(name)
            .make_in(directory, |own| {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create_new(true).open(own)
            })?;
        let (file, own) = own.keep()?;
        Ok(Self::new(&own, file, Some(turn)))
    }

    fn new(path: &Path, file: File, turn: Option<Turn>) -> Self {
        Self {
            path: path.to_owned(),
            file,
            _turn: turn,
        }
    }

    /// Removes the file, unless it has got its final name in the meantime.
    pub(super) fn remove(&self) -> io::Result<()> {
        // Only the holder of the lock writes to the file or renames it. On a file system without locks, other processes
        // may remove it.
        if is_at(&self.file, &self.path)? {
            if_found(remove_file(&self.path))?;
        }
        Ok(())
    }
}

/// The right of one task of one process to do some work, held through a lock file. Dropping this value ends the right
/// and removes the file. The right also ends with the process.
#[derive(Debug)]
pub(super) struct Lock(LockedFile);

impl Lock {
    /// Locks the lock file at `path`, unless another task has locked it.
    pub(super) fn attempt(path: &Path) -> io::Result<Result<Self, Busy>> {
        Ok(LockedFile::try_open(path)?.map(Self))
    }

    /// Waits until no other task has locked the lock file at `path`, and locks it. Blocks.
    pub(super) fn wait_for(path: &Path) -> io::Result<Self> {
        let mut waiting = Waiting::default();
        loop {
            let file = open(path)?;
            let locking = Locking::exclusive(&file, path)?;
            if locking == Locking::Busy {
                waiting.note(path);
                thread::sleep(SHORT_INTERVAL);
            } else if locking == Locking::Unsupported || is_at(&file, path)? {
                return Ok(Self(LockedFile::new(path, file, None)));
            }
            // Otherwise the previous holder of the lock has removed the file.
        }
    }

    /// Whether a task has locked the lock file at `path`. Creates no file.
    pub(super) fn is_held(path: &Path) -> io::Result<bool> {
        match open_file(path)? {
            Some(file) => Ok(Locking::exclusive(&file, path)? == Locking::Busy),
            None => Ok(false),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file is removed while it is locked. Otherwise another task could lock a file that is no longer at its
        // path.
        if let Err(error) = self.0.remove() {
            tracing::debug!(path = %self.0.path.display(), %error, "a lock file stays behind");
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_itself(&mut options, path)
}

/// How long to wait for another process before the second attempt. The interval doubles with each attempt up to
/// [`LONGEST_INTERVAL`].
const FIRST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_millis(200);
/// How long to wait between two attempts for a lock that tasks have only while they write a small file.
const SHORT_INTERVAL: Duration = Duration::from_millis(5);

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Another task works on the same file. Try again later.
    Busy(Busy),
    Error(Error),
}

impl From<Busy> for Obstacle {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy)
    }
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<RuntimeEnded> for Obstacle {
    fn from(error: RuntimeEnded) -> Self {
        Self::Error(error.into())
    }
}

/// Repeats `attempt` until no other task works on the same file.
pub(super) async fn when_free<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
) -> Result<T, Error> {
    repeat(|| blocking(attempt.clone())).await
}

/// Repeats `attempt`, which reads a whole file, until no other task works on the same file.
pub(super) async fn when_free_to_read<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
) -> Result<T, Error> {
    repeat(|| LONG_WORK.blocking(attempt.clone())).await
}

async fn repeat<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Obstacle>>,
{
    let (mut interval, mut waiting) = (FIRST_INTERVAL, Waiting::default());
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
            Err(Obstacle::Busy(busy)) => {
                busy.note(&mut waiting);
                busy.wait(interval).await;
            }
        }
        interval = longer(interval);
    }
}

/// Repeats `attempt` until no other task works on the same file. Blocks.
pub(super) fn wait_until_free<T>(attempt: impl Fn() -> Result<T, Obstacle>) -> Result<T, Error> {
    let (mut interval, mut waiting) = (FIRST_INTERVAL, Waiting::default());
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
            Err(Obstacle::Busy(busy)) => {
                busy.note(&mut waiting);
                thread::sleep(interval);
            }
        }
        interval = longer(interval);
    }
}

fn longer(interval: Duration) -> Duration {
    (interval * 2).min(LONGEST_INTERVAL)
}

#[cfg(test)]
#[path = "tests/lock.rs"]
mod tests;
