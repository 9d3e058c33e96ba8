use std::thread;

use super::*;

#[tokio::test]
async fn work_runs_on_another_thread_and_its_error_comes_back() {
    let here = thread::current().id();
    let there = blocking(|| Ok::<_, RuntimeEnded>(thread::current().id()));
    assert_ne!(there.await.unwrap(), here);
    let failed: Result<(), _> = blocking(|| Err(RuntimeEnded)).await;
    failed.unwrap_err();
}

#[tokio::test]
#[should_panic(expected = "the work panics")]
async fn a_panic_continues_in_the_caller() {
    let _ = blocking(|| -> Result<(), RuntimeEnded> { panic!("the work panics") }).await;
}

#[test]
fn work_runs_in_place_outside_a_runtime() {
    let here = thread::current().id();
    let work = blocking(|| Ok::<_, RuntimeEnded>(thread::current().id()));
    assert_eq!(futures_util::FutureExt::now_or_never(work), Some(Ok(here)));
}

#[test]
fn the_end_of_the_runtime_is_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let outcome = handle.block_on(blocking(|| Ok::<_, RuntimeEnded>(())));
    assert_eq!(outcome, Err(RuntimeEnded));
}
