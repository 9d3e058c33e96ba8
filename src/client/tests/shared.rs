use super::*;

#[test]
fn values_are_shared_while_they_are_used_and_forgotten_afterwards() {
    let map = SharedMap::<&str, u8>::default();
    let (first, second) = (map.join(&"a"), map.join(&"a"));
    assert!(Arc::ptr_eq(&first, &second));
    map.leave(&"a", &first);
    let third = map.join(&"a");
    assert!(!Arc::ptr_eq(&first, &third));
    map.leave(&"a", &first);
    assert!(Arc::ptr_eq(&third, &map.join(&"a")));
    drop(third);
    map.join(&"b");
    assert_eq!(map.0.lock().unwrap().len(), 1);
}
