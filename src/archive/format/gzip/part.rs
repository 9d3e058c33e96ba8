//! Inflating one part of a member alone, and proving that it is a whole part.

use libdeflater::Decompressor;
use ring::rand::{SecureRandom, SystemRandom};

/// How many random bytes a [`Seal`] has.
pub(in crate::archive) const SEALED: usize = 16;

/// The header of a last block, stored, with [`SEALED`] bytes of content (RFC 1951, section 3.2.4).
const HEADER: [u8; 5] = [1, SEALED as u8, 0, !(SEALED as u8), 0xff];

/// A stored block of random bytes that is appended to a part to prove that the part ends a block.
///
/// A reader that inflates the member from its start must see the same content as a reader that inflates its parts. Both
/// see the same if each part ends between two blocks and at a whole byte. Otherwise a block that begins in one part
/// could reach into the next part, and the two readers would see different archives.
///
/// So a last block of random bytes, the seal, is appended to the part. If the part ends between two blocks, the
/// inflated content ends with the random bytes. If it ends within a block, the seal is read as part of that block. The
/// random bytes then appear in the content only if the block is a stored one, and the header of the seal appears before
/// them. Content that ends with that header is therefore refused, and such an archive is read from its start.
#[derive(Clone)]
pub(in crate::archive) struct Seal([u8; SEALED]);

/// The error for bytes that are not proven to be a whole part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct NotAPart;

impl Seal {
    /// Creates a seal that cannot be predicted. `None` when the system gives no random bytes.
    pub(in crate::archive) fn new() -> Option<Self> {
        let mut bytes = [0; SEALED];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Inflates `part` into `content`, at most `limit` bytes. Appends the seal to `part`.
    pub(in crate::archive) fn inflate(
        &self,
        decompressor: &mut Decompressor,
        part: &mut Vec<u8>,
        content: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), NotAPart> {
        part.extend_from_slice(&HEADER);
        part.extend_from_slice(&self.0);
        content.resize(limit + SEALED, 0);
        let length = decompressor.deflate_decompress(part, content);
        content.truncate(length.map_err(|_| NotAPart)?);
        if !content.ends_with(&self.0) {
            return Err(NotAPart);
        }
        content.truncate(content.len() - SEALED);
        if content.ends_with(&HEADER) {
            return Err(NotAPart);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests/part.rs"]
mod tests;
