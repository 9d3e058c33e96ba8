//! The threads of a runtime that this library uses for blocking work.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Id};

/// How many threads of one runtime this library uses for blocking work at the same time.
///
/// Without workers of its own, the library could make the runtime start a thread for each piece of work, even if few
/// pieces run at the same time. On a busy machine, a thread whose work has ended, and one that was woken for new work,
/// wait until the system lets them run. Meanwhile, the runtime starts other threads.
pub(super) const WORKERS: usize = 12;

/// How long idle workers keep their threads, counted from the start of the last job. A runtime that shuts down waits as
/// long.
const IDLE_TIME: Duration = Duration::from_millis(20);

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
    /// How many workers wait for a job.
    idle: usize,
    /// When a worker took the last job.
    last_job: Option<Instant>,
    /// Wakes a worker that waits for a job.
    wake: Arc<Condvar>,
    /// Whether workers leave as soon as there is no job.
    is_closing: bool,
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
        // Each worker that is starting or idle takes one of the waiting jobs.
        let waiting = queue.starting + queue.idle;
        let starts = queue.jobs.len() > waiting && queue.workers < WORKERS;
        if starts {
            queue.workers += 1;
            queue.starting += 1;
        } else if queue.idle > 0 {
            queue.wake.notify_one();
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

/// Makes the workers of `runtime` leave as soon as there is no job, because the runtime is about to shut down.
#[cfg(feature = "cli")]
pub(crate) fn close(runtime: &Handle) {
    if let Some(queue) = queues().get_mut(&runtime.id()) {
        queue.is_closing = true;
        queue.wake.notify_all();
    }
}

/// Runs the jobs in the queue of one runtime. A worker ends when no job has begun for [`IDLE_TIME`].
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

    /// Waits for the next job and returns it. Returns `None` when this worker has left the queue. The worker leaves while
    /// the queue is locked. So no job is added between its last look at the queue and its leaving.
    fn next(&mut self) -> Option<Job> {
        let mut queues = queues();
        let queue = queues.get_mut(&self.runtime)?;
        if self.state == State::Starting {
            queue.starting -= 1;
            self.state = State::Running;
        }
        loop {
            let queue = queues.get_mut(&self.runtime)?;
            if let Some(job) = queue.jobs.pop_front() {
                queue.last_job = Some(Instant::now());
                return Some(job);
            }
            let left = queue
                .last_job
                .map_or(IDLE_TIME, |last| IDLE_TIME.saturating_sub(last.elapsed()));
            if left.is_zero() || queue.is_closing {
                self.leave(&mut queues);
                return None;
            }
            queue.idle += 1;
            let wake = Arc::clone(&queue.wake);
            let woken = wake.wait_timeout(queues, left);
            queues = woken.unwrap_or_else(PoisonError::into_inner).0;
            queues.get_mut(&self.runtime)?.idle -= 1;
        }
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
