use super::*;

#[test]
fn a_wait_is_extended_by_up_to_a_tenth() {
    let interval = Duration::from_secs(10);
    let waits: Vec<_> = (0..100).map(|_| extended(interval)).collect();
    assert!(waits.iter().all(|wait| *wait >= interval));
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(11)));
    assert!(waits.iter().any(|wait| *wait != waits[0]));
    assert!(extended(Duration::MAX) >= Duration::MAX);
}
