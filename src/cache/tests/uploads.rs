use super::*;

const PLACE: &str = "ghcr.io/org/provider";
const ADDRESS: &str = "https://ghcr.io/v2/org/provider/blobs/uploads/1?_state=2";

#[test]
fn an_upload_is_remembered_until_it_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let digest = Digest::of(b"content");
    let slot = || cache.upload(PLACE, &digest).unwrap();
    let first = slot().unwrap();
    assert_eq!(first.address(), None);
    first.remember(
        "https://ghcr.io/a/much/longer/address/than/the/one/that/follows/it/here/at/last",
    );
    first.remember(ADDRESS);
    // Another task must not use the same upload.
    assert!(slot().is_none());
    assert!(
        cache
            .upload("ghcr.io/org/other", &digest)
            .unwrap()
            .is_some()
    );
    drop(first);
    let second = slot().unwrap();
    assert_eq!(second.address().as_deref(), Some(ADDRESS));
    second.forget();
    drop(second);
    assert_eq!(slot().unwrap().address(), None);
    // No file is left behind.
    assert_eq!(cache.entries().unwrap().files.len(), 0);
}

#[test]
fn an_incompletely_written_address_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let digest = Digest::of(b"content");
    let slot = cache.upload(PLACE, &digest).unwrap().unwrap();
    std::fs::write(&slot.0.path, &ADDRESS[..20]).unwrap();
    assert_eq!(slot.address(), None);
    slot.remember(&"x".repeat(10_000));
    assert_eq!(slot.address(), None);
}
