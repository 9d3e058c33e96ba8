//! Nothing is waited for without end: a test that hangs fails, and says where, instead of holding up all
//! that come after it.

use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Far more than anything takes here, on a slow machine that is busy.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

/// What a process printed, once it has ended.
#[track_caller]
pub(crate) fn ended(child: Child) -> Output {
    let id = child.id();
    while_watched(id, LIMIT, || child.wait_with_output().unwrap())
}

/// Does what ends no later than a process does, which has `limit` for that.
#[track_caller]
pub(super) fn while_watched<T>(id: u32, limit: Duration, work: impl FnOnce() -> T) -> T {
    let (done, ending) = channel::<()>();
    let (result, killed) = thread::scope(|scope| {
        let watching = scope.spawn(move || {
            // Ends with `done` too, which is dropped when there is no more to wait for.
            let late = ending.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            // By its number: it is being waited for, so that number is not another's yet.
            late.then(|| {
                Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .status()
            })
        });
        // When it panics, nothing is waited for either.
        let done = done;
        let result = work();
        drop(done);
        (result, watching.join().unwrap())
    });
    assert!(killed.is_none(), "not done within {limit:?}");
    result
}

/// Runs what is `async`, on a runtime as a host would have it.
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
