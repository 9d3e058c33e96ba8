use super::*;

#[test]
fn what_is_not_locked_can_be_locked() {
    let error = LockError::NotLocked {
        reference: "ghcr.io/org/provider:1.0".to_owned(),
    };
    assert!(lock_hint(&error).unwrap().contains("par lock"));
}
