use super::*;
use crate::content::ErrorKind;

#[test]
fn a_stop_is_found_within_errors_that_contain_it() {
    let stopped = || io::Error::from(Stopped);
    let stored = StoreError::new(ErrorKind::Other, stopped());
    assert!(is_stopped(&Stopped));
    assert!(is_stopped(&stopped()));
    assert!(is_stopped(&io::Error::other(stored)));
    assert!(!is_stopped(&io::Error::other("interrupted")));
}
