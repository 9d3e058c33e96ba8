//! Clocks that differ.

use super::*;

#[test]
fn a_clock_that_differs_by_more_than_a_minute_is_reported() {
    let seconds = Duration::from_secs;
    for same in [Ok(seconds(0)), Ok(seconds(60)), Err(seconds(60))] {
        assert_eq!(clock(same).verdict, Verdict::Good, "{same:?}");
    }
    let late = clock(Ok(seconds(3600)));
    assert_eq!(late.verdict, Verdict::Limited);
    assert!(late.said.contains("3600 seconds ahead"), "{}", late.said);
    let early = clock(Err(seconds(61)));
    assert!(early.said.contains("61 seconds behind"), "{}", early.said);
}
