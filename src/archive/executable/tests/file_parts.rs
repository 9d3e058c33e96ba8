//! Reading parts of a file.

use std::io::Cursor;

use super::*;

#[test]
fn only_the_requested_parts_are_read_and_wrong_offsets_are_errors() {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    let read = |offset, size| {
        let parse = |data: &FileParts| data.read_bytes_at(offset, size).map(<[u8]>::to_vec);
        FileParts::parse(&mut Cursor::new(&bytes), parse).unwrap()
    };
    assert_eq!(read(90_000, 4).unwrap(), &bytes[90_000..90_004]);
    assert_eq!(read(99_999, 1).unwrap(), &bytes[99_999..]);
    assert_eq!(read(u64::MAX, 0).unwrap(), b"");
    for (offset, size) in [(99_999, 2), (u64::MAX, 2), (0, u64::MAX), (100_000, 1)] {
        assert!(read(offset, size).is_err(), "{offset} {size}");
    }
}

#[test]
fn a_text_without_an_end_is_refused() {
    let mut bytes = vec![b'x'; 20_000];
    bytes[5_000] = 0;
    let text = |start, end| {
        let parse = |data: &FileParts| data.read_bytes_at_until(start..end, 0).map(<[u8]>::len);
        FileParts::parse(&mut Cursor::new(&bytes), parse).unwrap()
    };
    assert_eq!(text(4_000, 20_000), Ok(1_000));
    assert_eq!(text(5_000, 20_000), Ok(0));
    // The text is too long or truncated.
    assert_eq!(text(0, 20_000), Err(()));
    assert_eq!(text(4_000, 4_500), Err(()));
    assert_eq!(text(10_000, u64::MAX), Err(()));
    assert_eq!(text(u64::MAX, 3), Err(()));
}

#[test]
fn large_structures_are_not_read() {
    let bytes = vec![0; 3 * 1024 * 1024];
    let parse = |data: &FileParts| data.read_bytes_at(0, 2 * 1024 * 1024).is_err();
    assert!(FileParts::parse(&mut Cursor::new(&bytes), parse).unwrap());
}
