//! The text of a file with credentials, in the encodings in which editors and shells write it.

/// Returns the text of `bytes`, which are JSON in UTF-8 or UTF-16, without a byte order mark. The error says what is
/// wrong.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, &'static str> {
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| "it is not UTF-8");
    match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, text @ ..] => utf8(text.to_vec()),
        // PowerShell writes this.
        [0xFF, 0xFE, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xFE, 0xFF, text @ ..] => utf16(text, u16::from_be_bytes),
        // JSON begins with an ASCII character. Its other byte in UTF-16 is zero.
        [first, 0, ..] if *first != 0 => utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(&bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, &'static str> {
    let malformed = "it begins like UTF-16, but is not UTF-16";
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(malformed);
    }
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).map_err(|_| malformed)
}

#[cfg(test)]
#[path = "tests/text.rs"]
mod tests;
