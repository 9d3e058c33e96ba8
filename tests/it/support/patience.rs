//! Waits with a limit: a test that hangs fails, and says where, instead of delaying all later tests.

use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a step of a test may take. It is far longer than any step needs, even on a slow and busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LIMIT, "waiting for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for a process, and returns what it printed.
#[track_caller]
pub(crate) fn ended(child: Child) -> Output {
    let id = child.id();
    while_watched(id, LIMIT, || child.wait_with_output().unwrap())
}

/// Does work that ends when a process ends. Kills the process after `limit`.
#[track_caller]
pub(super) fn while_watched<T>(id: u32, limit: Duration, work: impl FnOnce() -> T) -> T {
    let (done, ending) = channel::<()>();
    let (result, killed) = thread::scope(|scope| {
        let watching = scope.spawn(move || {
            // Dropping `done` ends this wait too.
            let late = ending.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            // `work` waits for the process, so no other process has its number yet.
            late.then(|| {
                Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .status()
            })
        });
        // A panic in `work` drops `done` too.
        let done = done;
        let result = work();
        drop(done);
        (result, watching.join().unwrap())
    });
    assert!(killed.is_none(), "not done within {limit:?}");
    result
}

/// Runs a future on a runtime like that of a host.
#[track_caller]
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let result = runtime.block_on(async { tokio::time::timeout(LIMIT, work).await });
    result.unwrap_or_else(|_| {
        runtime.shutdown_background();
        panic!("not done within {LIMIT:?}")
    })
}
