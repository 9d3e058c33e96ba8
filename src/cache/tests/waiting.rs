use super::*;

#[test]
fn a_long_wait_is_told_once_and_a_short_one_is_not() {
    let mut waiting = Waiting::default();
    let mut told = |since: Option<Instant>| {
        waiting.since = since.or(waiting.since);
        waiting.note(Path::new("lock"));
        waiting.is_told
    };
    assert!(!told(None));
    assert!(!told(None));
    assert!(told(Instant::now().checked_sub(SILENCE)));
}
