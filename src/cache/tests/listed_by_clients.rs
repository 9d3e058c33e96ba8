use super::*;

#[test]
fn a_registry_without_a_referrers_api_is_remembered_until_it_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let registry = "localhost:5000";
    assert!(!cache.is_listed_by_clients(registry));
    cache.note_listed_by_clients(registry, false).unwrap();
    cache.note_listed_by_clients(registry, true).unwrap();
    cache.note_listed_by_clients(registry, true).unwrap();
    assert!(cache.is_listed_by_clients(registry));
    assert!(!cache.is_listed_by_clients("localhost:5001"));
    cache.note_listed_by_clients(registry, false).unwrap();
    assert!(!cache.is_listed_by_clients(registry));
    assert!(cache.note_listed_by_clients("../x", true).is_err());
    assert!(!cache.is_listed_by_clients("../x"));
}
