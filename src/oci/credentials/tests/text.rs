use super::decode;

#[test]
fn utf_8_and_utf_16_are_read_with_and_without_a_byte_order_mark() {
    let utf16 = |mark: Option<u16>, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = mark.into_iter().chain("{é😀}".encode_utf16());
        units.flat_map(bytes).collect()
    };
    for bytes in [
        "{é😀}".as_bytes().to_vec(),
        "\u{feff}{é😀}".as_bytes().to_vec(),
        utf16(Some(0xFEFF), u16::to_le_bytes),
        utf16(Some(0xFEFF), u16::to_be_bytes),
        utf16(None, u16::to_le_bytes),
        utf16(None, u16::to_be_bytes),
    ] {
        assert_eq!(decode(bytes).as_deref(), Ok("{é😀}"));
    }
    assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
}

#[test]
fn the_error_names_another_encoding() {
    assert!(
        decode(vec![b'{', 0xE9, b'}'])
            .unwrap_err()
            .contains("UTF-8")
    );
    for bytes in [vec![0xFF, 0xFE, b'{'], vec![0xFE, 0xFF, 0xD8, 0x00]] {
        assert!(decode(bytes).unwrap_err().contains("UTF-16"));
    }
}
