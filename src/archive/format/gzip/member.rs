//! The header and the trailer of a gzip member (RFC 1952, section 2.3).

/// The position of the content of the FEXTRA field, in bytes from the start of the member.
pub(super) const EXTRA: u64 = 12;

/// The FEXTRA bit of the flags.
const FEXTRA: u8 = 4;

/// Returns a header without time, name and operating system, so that the same content gives the same
/// bytes. Unless `extra` is 0, it has an extra field of that many zeros.
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

/// Returns the trailer: the checksum of the content, and its length modulo 2^32.
pub(in crate::archive) fn trailer(checksum: u32, length: u64) -> [u8; 8] {
    (u64::from(checksum) | length << 32).to_le_bytes()
}

/// The length of the trailer in bytes.
pub(in crate::archive) const TRAILER: u64 = 8;

/// Returns the position of the content in the member whose first bytes are `head`. `None` unless the header has an
/// extra field and no other optional field.
pub(in crate::archive) fn content_begins(head: &[u8]) -> Option<u64> {
    let (fixed, rest) = head.split_at_checked(10)?;
    let length = rest.first_chunk().copied().map(u16::from_le_bytes)?;
    let [0x1f, 0x8b, 8, FEXTRA, ..] = fixed else {
        return None;
    };
    Some(EXTRA + u64::from(length))
}

#[cfg(test)]
#[path = "tests/member.rs"]
mod tests;
