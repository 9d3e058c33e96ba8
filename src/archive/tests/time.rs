use super::*;

#[test]
fn any_number_of_seconds_is_a_time() {
    for seconds in [0, 1, 1_700_000_000, LATEST] {
        assert_eq!(to_unix(from_unix(seconds)), seconds);
    }
    assert_eq!(to_unix(from_unix(u64::MAX)), LATEST);
    assert_eq!(to_unix(UNIX_EPOCH - Duration::from_secs(1)), 0);
}
