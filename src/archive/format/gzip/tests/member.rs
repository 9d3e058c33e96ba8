use super::*;

#[test]
fn the_extra_field_is_at_its_position() {
    assert_eq!(header(0).len(), 10);
    let header = header(600);
    assert_eq!(header.len() as u64, EXTRA + 600);
    assert_eq!(header[3], FEXTRA);
    assert_eq!(header[10..12], 600_u16.to_le_bytes());
    assert_eq!(content_begins(&header), Some(EXTRA + 600));
    assert_eq!(content_begins(&header[..11]), None);
}

#[test]
fn the_length_in_the_trailer_is_modulo_2_to_the_32() {
    let trailer = trailer(0x0403_0201, (7 << 32) + 8);
    assert_eq!(trailer, [1, 2, 3, 4, 8, 0, 0, 0]);
}
