//! Waiting with a limit: a test that hangs fails, instead of holding up all later tests.

use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Far longer than any step takes, even on a slow and busy machine.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

/// Waits for the end of a process. Returns its output.
#[track_caller]
pub(crate) fn ended(child: Child) -> Output {
    let id = child.id();
    while_watched(id, LIMIT, || child.wait_with_output().unwrap())
}

/// Does work that ends with the process `id`, which is killed after `limit`.
#[track_caller]
pub(super) fn while_watched<T>(id: u32, limit: Duration, work: impl FnOnce() -> T) -> T {
    let (done, ending) = channel::<()>();
    let (result, killed) = thread::scope(|scope| {
        let watching = scope.spawn(move || {
            // The wait also ends when `done` is dropped.
            let late = ending.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            // The process is not reaped yet, so no other process has its number.
            late.then(|| {
                Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .status()
            })
        });
        // Dropped too when `work` panics.
        let done = done;
        let result = work();
        drop(done);
        (result, watching.join().unwrap())
    });
    assert!(killed.is_none(), "not done within {limit:?}");
    result
}

/// Runs asynchronous work on a runtime like that of a host.
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
