use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};

use super::*;

#[test]
fn a_bounded_number_of_jobs_runs_at_the_same_time() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // The jobs of one round end once each worker runs one of them.
    let barrier = Arc::new(Barrier::new(WORKERS));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sender, ended) = mpsc::channel();
    for _ in 0..10 * WORKERS {
        let (barrier, running, most) = (barrier.clone(), running.clone(), most.clone());
        let sender = sender.clone();
        let job = move || {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            barrier.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            sender.send(()).unwrap();
        };
        add_job(runtime.handle(), Box::new(job));
    }
    drop(sender);
    assert_eq!(ended.iter().count(), 10 * WORKERS);
    assert_eq!(most.load(Ordering::SeqCst), WORKERS);
    // Nothing is kept for a runtime that has no jobs.
    let id = runtime.handle().id();
    drop(runtime);
    assert!(!queues().contains_key(&id));
}
