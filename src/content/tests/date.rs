use super::*;

#[test]
fn any_number_is_a_date() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(1_795_250_977), "2026-11-21T08:49:37Z");
    for late in [LAST, LAST + 1, u64::MAX] {
        assert_eq!(rfc3339(late), "9999-12-31T23:59:59Z");
    }
}
