use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

#[test]
fn work_of_a_dropped_future_never_runs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let (begin, begun) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let ran = Arc::new(AtomicUsize::new(0));
    let waiting = || {
        let ran = ran.clone();
        blocking(move || Ok::<_, RuntimeEnded>(ran.fetch_add(1, Ordering::SeqCst)))
    };
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let (mut first, mut kept) = {
        let _inside = runtime.enter();
        let first = blocking(move || {
            begin.send(()).unwrap();
            let _ = ended.recv();
            Ok::<_, RuntimeEnded>(())
        });
        let mut first = Box::pin(first);
        assert!(first.as_mut().poll(&mut context).is_pending());
        begun.recv().unwrap();
        let mut dropped = Box::pin(waiting());
        assert!(dropped.as_mut().poll(&mut context).is_pending());
        drop(dropped);
        let mut kept = Box::pin(waiting());
        assert!(kept.as_mut().poll(&mut context).is_pending());
        (first, kept)
    };
    end.send(()).unwrap();
    handle.block_on(first.as_mut()).unwrap();
    assert_eq!(handle.block_on(kept.as_mut()), Ok(0));
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_share_leaves_workers_for_other_work() {
    static SHARE: Share = Share::of(1);
    let (begin, begun) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn(SHARE.blocking(move || {
        begin.send(()).unwrap();
        let _ = ended.recv();
        Ok::<_, RuntimeEnded>(())
    }));
    tokio::task::spawn_blocking(move || begun.recv().unwrap())
        .await
        .unwrap();
    // The work that has begun keeps its permit after its future is dropped.
    holding.abort();
    assert!(holding.await.unwrap_err().is_cancelled());
    let mut waiting = Box::pin(SHARE.blocking(|| Ok::<_, RuntimeEnded>(())));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    blocking(|| Ok::<_, RuntimeEnded>(())).await.unwrap();
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(end);
    waiting.await.unwrap();
}
