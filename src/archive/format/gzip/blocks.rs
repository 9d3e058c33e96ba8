//! Deflate blocks that need no compressor.

/// The most bytes that a stored block holds (RFC 1951, section 3.2.4).
const STORED: usize = 65_535;

/// An empty last block with the fixed code (RFC 1951, section 3.2.6): a header of three bits, and seven zero bits,
/// which end the block.
pub(in crate::archive) const END: [u8; 2] = [3, 0];

/// Returns `content` in stored blocks. None of them is marked as the last block. They begin and end at whole bytes.
pub(super) fn store(content: &[u8]) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(content.len() + 5 * content.len().div_ceil(STORED));
    for chunk in content.chunks(STORED) {
        let length = chunk.len() as u16;
        blocks.push(0);
        blocks.extend_from_slice(&length.to_le_bytes());
        blocks.extend_from_slice(&(!length).to_le_bytes());
        blocks.extend_from_slice(chunk);
    }
    blocks
}
