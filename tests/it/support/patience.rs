//! Nothing is waited for without end: a test that hangs fails, and says where, instead of holding up all
//! that come after it.

use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Far more than anything takes here, on a slow machine that is busy.
const LIMIT: Duration = Duration::from_secs(300);

/// What a process printed, once it has ended.
#[track_caller]
pub(crate) fn ended(child: Child) -> Output {
    ended_within(LIMIT, child)
}

#[track_caller]
pub(super) fn ended_within(limit: Duration, child: Child) -> Output {
    let id = child.id().to_string();
    let (done, ending) = channel::<()>();
    let (output, killed) = thread::scope(|scope| {
        let watching = scope.spawn(move || {
            // Ends with `done` too, which is dropped when there is no more to wait for.
            let late = ending.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            // By its number: it is being waited for, so that number is not another's yet.
            late.then(|| Command::new("kill").args(["-KILL", &id]).status())
        });
        let output = child.wait_with_output();
        drop(done);
        (output, watching.join().unwrap())
    });
    let output = output.unwrap();
    assert!(killed.is_none(), "not done within {limit:?}: {output:?}");
    output
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
