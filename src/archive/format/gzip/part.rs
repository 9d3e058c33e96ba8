//! Inflating one part of a member alone, and proving that it is one.

use libdeflater::Decompressor;
use ring::rand::{SecureRandom, SystemRandom};

/// How many random bytes a [`Seal`] has.
pub(in crate::archive) const SEALED: usize = 16;

/// The header of a stored block that is the last one and has [`SEALED`] bytes (RFC 1951, section 3.2.4).
const HEADER: [u8; 5] = [1, SEALED as u8, 0, !(SEALED as u8), 0xff];

/// A stored block of random bytes that is appended to a part to prove that the part ends a block.
///
/// A reader that inflates the member from its start must see the same content as one that inflates its
/// parts. It does when each part ends between two blocks and at a whole byte. Otherwise a block that
/// begins in one part could reach into the next, and the two readers would see different archives.
///
/// So a last block of random bytes is appended to the part. When the part ends where it should, inflating
/// gives those bytes at the end. When it does not, the bytes of the seal are read as something else. They
/// can then only come out unchanged as the content of a stored block, which has the header of the seal as
/// content too. Content that ends with that header is therefore refused, and such an archive is read from
/// its start.
#[derive(Clone)]
pub(in crate::archive) struct Seal([u8; SEALED]);

/// A range of a member that is not a part, or may not be one.
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
mod tests {
    use super::super::blocks::store;
    use super::super::workers::Deflater;
    use super::*;

    fn part(content: &[u8]) -> Vec<u8> {
        let mut part = Vec::new();
        Deflater::new()
            .unwrap()
            .deflate(content, &mut part)
            .unwrap();
        part
    }

    fn inflate(part: &[u8], limit: usize) -> Result<Vec<u8>, NotAPart> {
        let mut content = Vec::new();
        let seal = Seal::new().unwrap();
        seal.inflate(
            &mut Decompressor::new(),
            &mut part.to_vec(),
            &mut content,
            limit,
        )?;
        Ok(content)
    }

    fn text() -> Vec<u8> {
        (0..20_000_u32)
            .flat_map(|i| i.to_string().into_bytes())
            .collect()
    }

    #[test]
    fn a_part_gives_its_content_and_no_more_than_the_limit() {
        for content in [text(), Vec::new(), vec![0; 100_000]] {
            for part in [part(&content), store(&content)] {
                assert!(inflate(&part, content.len()) == Ok(content.clone()));
                assert!(inflate(&part, content.len() + 7) == Ok(content.clone()));
                let too_little = content.len().saturating_sub(SEALED + 1);
                assert_eq!(inflate(&part, too_little).is_err(), !content.is_empty());
            }
        }
    }

    #[test]
    fn a_range_that_ends_within_a_block_is_no_part() {
        let whole = part(&text());
        let stored = store(&text());
        for cut in 1..600 {
            for part in [&whole, &stored] {
                let part = &part[..part.len() - cut];
                assert_eq!(inflate(part, text().len()), Err(NotAPart), "{cut}");
            }
        }
    }

    #[test]
    fn a_stored_block_that_contains_the_seal_is_refused() {
        // The block reaches into the next part: by the length of the whole seal, of its header alone, or of
        // one byte more or less.
        for last in [0, 1] {
            for contained in [1, 4, 5, 6, SEALED, 20, 21, 22, 100] {
                let length = 1000 + contained as u16;
                let mut part = vec![last];
                part.extend_from_slice(&length.to_le_bytes());
                part.extend_from_slice(&(!length).to_le_bytes());
                part.extend_from_slice(&text()[..1000]);
                for limit in [1000, 1005, 5000] {
                    assert_eq!(inflate(&part, limit), Err(NotAPart), "{contained}");
                }
            }
        }
    }

    #[test]
    fn a_stream_that_ends_within_a_byte_is_no_part() {
        // Without the empty stored block at the end of a part, up to seven bits are left over.
        let mut left_over = 0;
        for length in 1000..1100 {
            let content = &text()[..length];
            let mut stream = vec![0; 5000];
            let mut compressor = libdeflater::Compressor::default();
            let used = compressor.deflate_compress(content, &mut stream).unwrap();
            stream.truncate(used);
            stream[0] &= !1; // The only block is not the last one any more.
            let is_part = inflate(&stream, length);
            assert!(is_part == Err(NotAPart) || is_part == Ok(content.to_vec()));
            left_over += usize::from(is_part.is_err());
        }
        assert!(left_over > 50, "{left_over}");
    }

    #[test]
    fn bytes_that_are_not_deflate_are_no_part() {
        assert_eq!(inflate(&[0xff; 100], 1000), Err(NotAPart));
        assert_eq!(
            inflate(&[1, 0, 0, 0xff, 0xff], 1000),
            Err(NotAPart),
            "a last block"
        );
    }

    #[test]
    fn content_that_ends_with_the_header_of_a_seal_is_refused() {
        let content = [text().as_slice(), &HEADER].concat();
        assert_eq!(inflate(&part(&content), content.len()), Err(NotAPart));
    }
}
