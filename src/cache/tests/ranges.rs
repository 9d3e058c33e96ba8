use std::io::Write;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_task_continues_the_range_that_another_task_has_received_in_part() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let blob = Digest::of(b"blob");
    let first = cache.partial_range(&blob, &(5..15)).await.unwrap();
    assert_eq!(first.received(), 0);
    { first.file() }.write_all(b"0123").unwrap();
    let other = cache.partial_range(&blob, &(5..16)).await.unwrap();
    other.discard().unwrap();

    let waiting = cache.partial_range(&blob, &(5..15));
    let mut waiting = std::pin::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(50), waiting.as_mut()).await;
    assert!(early.is_err());
    drop(first);

    let second = waiting.await.unwrap();
    assert_eq!(second.received(), 4);
    { second.file() }.write_all(b"01234567890").unwrap();
    drop(second);
    let third = cache.partial_range(&blob, &(5..15)).await.unwrap();
    assert_eq!(third.received(), 0, "a file that is too long is emptied");
    third.discard().unwrap();
    let left = std::fs::read_dir(cache.directory().join("partial/sha256")).unwrap();
    assert_eq!(left.count(), 0);
}
