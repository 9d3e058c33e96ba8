use std::fs;

use super::*;

#[test]
fn a_registry_that_did_not_answer_is_remembered_for_a_short_while() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let registry = "localhost:5000";
    assert_eq!(cache.no_answer(registry), None);
    cache.forget_no_answer(registry).unwrap();
    cache.note_no_answer(registry, "no answer").unwrap();
    assert_eq!(cache.no_answer(registry).unwrap(), "no answer");
    assert_eq!(cache.no_answer("localhost:5001"), None);
    cache.forget_no_answer(registry).unwrap();
    assert_eq!(cache.no_answer(registry), None);
    cache
        .note_no_answer(registry, &"x".repeat(100_000))
        .unwrap();
    assert_eq!(cache.no_answer(registry).unwrap().len(), LONGEST_REASON);
    assert!(cache.note_no_answer("../x", "").is_err());
}

#[test]
fn clocks_that_jump_and_damaged_files_are_harmless() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    cache.note_no_answer("x", "").unwrap();
    let path = cache.paths.no_answer("x").unwrap();
    let now = unix_seconds(SystemTime::now());
    let at = |since: u64| format!("{{\"since\":{since},\"reason\":\"\"}}");
    let texts = [
        at(now + 3600),
        at(now - PAUSE.as_secs() - 1),
        at(0),
        at(u64::MAX),
        String::new(),
        "\0".repeat(100),
        "[]".to_owned(),
        format!("{{\"since\":{now},\"reason\":\"{}\"}}", "x".repeat(10_000)),
    ];
    for text in texts {
        fs::write(&path, &text).unwrap();
        assert_eq!(cache.no_answer("x"), None, "{text:.40}");
        cache.note_no_answer("x", "again").unwrap();
        assert_eq!(cache.no_answer("x").unwrap(), "again");
    }
}
