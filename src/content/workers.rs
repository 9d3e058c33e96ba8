//! The threads of a runtime that this library uses for blocking work.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id};

/// How many threads of one runtime this library uses for blocking work at the same time.
///
/// Without workers of its own, the library could make the runtime start a thread for each piece of work, even if few
/// pieces run at the same time. On a busy machine, a thread whose work has ended, and one that was woken for new work,
/// wait until the system lets them run. Meanwhile, the runtime starts other threads.
pub(super) const WORKERS: usize = 12;

/// One piece of work.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The work of one runtime that has not begun.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many workers there are. Each has a thread, or will get one.
    workers: usize,
    /// How many workers wait for a thread.
    starting: usize,
}

/// The queues of all runtimes that have workers.
type Queues = HashMap<Id, Queue>;

fn queues() -> MutexGuard<'static, Queues> {
    static QUEUES: LazyLock<Mutex<Queues>> = LazyLock::new(Mutex::default);
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a job in `runtime` after those that were added before. If the runtime has ended, the job is dropped.
pub(super) fn add_job(runtime: &Handle, job: Job) {
    let id = runtime.id();
    let starts = {
        let mut queues = queues();
        let queue = queues.entry(id).or_default();
        queue.jobs.push_back(job);
        // A worker that is starting takes one of the waiting jobs.
        let starts = queue.jobs.len() > queue.starting && queue.workers < WORKERS;
        if starts {
            queue.workers += 1;
            queue.starting += 1;
        }
        starts
    };
    if starts {
        let mut worker = Worker {
            runtime: id,
            state: State::Starting,
        };
        drop(runtime.spawn_blocking(move || worker.run()));
    }
}

/// Runs the jobs in the queue of one runtime until the queue is empty.
struct Worker {
    runtime: Id,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The worker waits for a thread.
    Starting,
    Running,
    /// The worker has left the queue.
    Gone,
}

impl Worker {
    fn run(&mut self) {
        while let Some(job) = self.next() {
            // A panic must not end the worker, which other jobs wait for.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Returns the next job. If there is none, leaves the queue in the same step, so that a job that is added then gets
    /// another worker.
    fn next(&mut self) -> Option<Job> {
        let mut queues = queues();
        let queue = queues.get_mut(&self.runtime)?;
        if self.state == State::Starting {
            queue.starting -= 1;
            self.state = State::Running;
        }
        let job = queue.jobs.pop_front();
        if job.is_none() {
            self.leave(&mut queues);
        }
        job
    }

    /// Returns the queue if it has no worker any more.
    fn leave(&mut self, queues: &mut Queues) -> Option<Queue> {
        let queue = queues.get_mut(&self.runtime)?;
        queue.workers -= 1;
        queue.starting -= usize::from(self.state == State::Starting);
        self.state = State::Gone;
        (queue.workers == 0)
            .then(|| queues.remove(&self.runtime))
            .flatten()
    }
}

impl Drop for Worker {
    /// A worker that has not left the queue got no thread, because the runtime has ended. If it was the last worker, its
    /// jobs never run: dropping them ends the futures that wait for them.
    fn drop(&mut self) {
        if self.state != State::Gone {
            let abandoned = self.leave(&mut queues());
            drop(abandoned);
        }
    }
}

#[cfg(test)]
#[path = "tests/workers.rs"]
mod tests;
