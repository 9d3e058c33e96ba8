use super::*;

#[test]
fn a_record_from_the_future_is_not_fresh() {
    let confirmed = |seconds_ago: i64| {
        let age = Duration::from_secs(seconds_ago.unsigned_abs());
        let now = SystemTime::now();
        let confirmed = if seconds_ago < 0 {
            now + age
        } else {
            now - age
        };
        Record {
            descriptor: Descriptor::of("", b""),
            content: None,
            confirmed,
            layout: None,
        }
    };
    let minute = Some(Duration::from_secs(60));
    assert!(is_fresh(&confirmed(30), minute));
    assert!(!is_fresh(&confirmed(90), minute));
    assert!(!is_fresh(&confirmed(-90), minute));
    assert!(is_fresh(&confirmed(-90), None));
}
