use super::*;

#[test]
fn a_buffer_is_reused_when_its_bytes_are_dropped() {
    let buffers = Buffers::default();
    let mut first = buffers.take(100);
    first.extend(b"first");
    let place = first.as_ref().as_ptr();
    let bytes = first.into_bytes();
    assert_ne!(buffers.take(100).as_ref().as_ptr(), place);
    let part = bytes.slice(1..);
    drop(bytes);
    assert_eq!(&part[..], b"irst");
    drop(part);
    let again = buffers.take(100);
    assert!(again.as_ref().is_empty());
    assert_eq!(again.as_ref().as_ptr(), place);
}
