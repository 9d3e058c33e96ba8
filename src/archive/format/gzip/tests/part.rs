use super::super::blocks::store;
use super::super::workers::Deflater;
use super::*;

fn part(content: &[u8]) -> Vec<u8> {
    let mut part = Vec::new();
    Deflater::new().deflate(content, &mut part).unwrap();
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
fn a_range_that_ends_within_a_block_is_refused() {
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
fn a_stream_that_ends_within_a_byte_is_refused() {
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
fn bytes_that_are_not_deflate_are_refused() {
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
