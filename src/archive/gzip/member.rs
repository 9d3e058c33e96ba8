//! What surrounds the deflate stream in a gzip member (RFC 1952, section 2.3).

/// Where the content of the FEXTRA field begins, in bytes from the start of the member.
pub(super) const EXTRA: u64 = 12;

/// The FEXTRA bit of the flags.
const FEXTRA: u8 = 4;

/// A header that is the same for the same content: no time, no name, no operating system. With an
/// `extra` other than 0, room for that many bytes of extra field, zeros for now.
pub(super) fn header(extra: u16) -> Vec<u8> {
    const DEFLATE: u8 = 8;
    const UNKNOWN: u8 = 255;
    let flags = if extra > 0 { FEXTRA } else { 0 };
    let mut header = vec![0x1f, 0x8b, DEFLATE, flags, 0, 0, 0, 0, 0, UNKNOWN];
    if extra > 0 {
        header.extend_from_slice(&extra.to_le_bytes());
        header.resize(header.len() + usize::from(extra), 0);
    }
    header
}

/// The checksum and the length of the content, modulo 2^32.
pub(super) fn trailer(checksum: u32, length: u64) -> [u8; 8] {
    (u64::from(checksum) | length << 32).to_le_bytes()
}

/// How long the trailer is.
pub(in crate::archive) const TRAILER: u64 = 8;

pub(in crate::archive) fn is_trailer(bytes: &[u8], checksum: u32, length: u64) -> bool {
    bytes == trailer(checksum, length)
}

/// Where the content of the member begins whose first bytes are `head`; `None` when its header has other
/// fields than an extra field.
pub(in crate::archive) fn content_begins(head: &[u8]) -> Option<u64> {
    let (fixed, rest) = head.split_at_checked(10)?;
    let length = rest.first_chunk().copied().map(u16::from_le_bytes)?;
    let [0x1f, 0x8b, 8, FEXTRA, ..] = fixed else {
        return None;
    };
    Some(EXTRA + u64::from(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_field_is_where_it_is_said_to_be() {
        assert_eq!(header(0).len(), 10);
        let header = header(600);
        assert_eq!(header.len() as u64, EXTRA + 600);
        assert_eq!(header[3], FEXTRA);
        assert_eq!(header[10..12], 600_u16.to_le_bytes());
        assert_eq!(content_begins(&header), Some(EXTRA + 600));
        assert_eq!(content_begins(&header[..11]), None);
    }

    #[test]
    fn a_length_beyond_32_bits_wraps() {
        let trailer = trailer(0x0403_0201, (7 << 32) + 8);
        assert_eq!(trailer, [1, 2, 3, 4, 8, 0, 0, 0]);
    }
}
