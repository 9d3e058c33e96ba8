//! Members of all shapes, read by `flate2`, and bytes that are not a deflate stream.

mod properties;

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::blocks::{END, store};
use super::encoder::{BLOCK, Finished, GzipEncoder, Mark};
use super::stitch::{Malformed, Stitcher};
use super::workers::Deflater;

/// Bytes without a pattern.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn text(length: usize) -> Vec<u8> {
    let words = ["capability ", "provider ", "archive ", "of ", "wasm\n"];
    noise(length, 5)
        .iter()
        .flat_map(|byte| words[usize::from(*byte) % words.len()].bytes())
        .take(length)
        .collect()
}

fn executable(most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = fs::File::open(std::env::current_exe().unwrap()).unwrap();
    file.take(most).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Contents that deflate treats in different ways.
fn contents() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("a byte", vec![b'x']),
        ("a few bytes", b"claims.jwt".to_vec()),
        ("zeros", vec![0; 3_000_000]),
        ("a block of zeros", vec![0; BLOCK]),
        ("two blocks of text", text(2 * BLOCK)),
        ("a block of text and a byte", text(BLOCK + 1)),
        ("a block of noise", noise(BLOCK, 1)),
        ("noise beyond a block", noise(BLOCK + 70_000, 2)),
        ("noise between zeros", {
            [vec![0; 90_000], noise(200_000, 3), vec![0; 90_000]].concat()
        }),
        (
            "all bytes in turn",
            (0..=255).cycle().take(100_000).collect(),
        ),
        ("an executable", executable(6_000_000)),
    ]
}

fn encode(parts: &[&[u8]], threads: usize) -> (Vec<u8>, Vec<u64>) {
    let mut encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, threads).unwrap();
    let mut marks: Vec<Mark> = Vec::new();
    for part in parts {
        marks.push(encoder.restart_point().unwrap());
        encoder.write_all(part).unwrap();
    }
    marks.push(encoder.restart_point().unwrap());
    let finished = encoder.finish(&[]).unwrap();
    let offset = |mark: &Mark| finished.parts(*mark, *mark).unwrap().0.start;
    let offsets = marks.iter().map(offset).collect();
    (finished.into_output().into_inner(), offsets)
}

/// Reads one member and requires that nothing follows it.
fn decode(member: &[u8]) -> Vec<u8> {
    let mut decoder = GzDecoder::new(member);
    let mut content = Vec::new();
    decoder.read_to_end(&mut content).unwrap();
    assert!(decoder.into_inner().is_empty());
    content
}

/// Inflates a stream without a last block.
fn inflate(deflated: &[u8], length: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(length + 1);
    let mut inflater = Decompress::new(false);
    let status = inflater.decompress_vec(deflated, &mut content, FlushDecompress::Sync);
    assert_ne!(status.unwrap(), Status::StreamEnd);
    assert_eq!(inflater.total_in(), deflated.len() as u64);
    content
}

#[test]
fn compressed_content_inflates_to_the_same_bytes() {
    for (what, content) in contents() {
        let (member, _) = encode(&[&content], 2);
        assert!(decode(&member) == content, "{what}");
    }
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let contents = contents();
    let parts: Vec<&[u8]> = contents.iter().map(|(_, part)| part.as_slice()).collect();
    let (one, offsets) = encode(&parts, 1);
    assert!(decode(&one) == parts.concat());
    for threads in [2, 7] {
        let (other, same) = encode(&parts, threads);
        assert!(one == other, "{threads} threads");
        assert_eq!(offsets, same);
    }
}

#[test]
fn the_sizes_of_writes_make_no_difference() {
    let content = text(3 * BLOCK + 17);
    let (at_once, _) = encode(&[&content], 2);
    let mut encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, 2).unwrap();
    for chunk in content.chunks(4099) {
        encoder.write_all(chunk).unwrap();
    }
    encoder.flush().unwrap();
    let in_pieces = encoder.finish(&[]).unwrap().into_output().into_inner();
    assert!(at_once == in_pieces);
}

#[test]
fn content_between_two_restart_points_inflates_alone() {
    let contents = contents();
    let parts: Vec<&[u8]> = contents.iter().map(|(_, part)| part.as_slice()).collect();
    let (member, offsets) = encode(&parts, 2);
    assert_eq!(offsets.len(), parts.len() + 1);
    for ((what, content), range) in contents.iter().zip(offsets.windows(2)) {
        let deflated = &member[range[0] as usize..range[1] as usize];
        assert!(inflate(deflated, content.len()) == *content, "{what}");
    }
}

#[test]
fn many_small_parts_can_be_inflated_alone() {
    let content = text(4000);
    let parts: Vec<&[u8]> = (0..3000).map(|n| &content[..n % 700]).collect();
    let (member, _) = encode(&parts, 3);
    assert!(decode(&member) == parts.concat());
}

#[test]
fn reserved_content_is_at_the_place_that_was_reserved() {
    for length in [0, 1, 1500, 65_535, 65_536, 200_000] {
        let (before, after) = (text(BLOCK + 5), noise(3000, 9));
        let late = noise(length, 11);
        // The member may begin after the start of the output.
        let mut output = Cursor::new(b"before".to_vec());
        output.seek(SeekFrom::End(0)).unwrap();
        let mut encoder = GzipEncoder::with_threads(output, 100, 2).unwrap();
        encoder.write_all(&before).unwrap();
        encoder.reserve(length).unwrap();
        encoder.write_all(&after).unwrap();
        let mut finished = encoder.finish(&late).unwrap();
        let subfield = [b"PA\x60\0".as_slice(), &[7; 96]].concat();
        finished.set_extra(&subfield).unwrap();
        assert!(finished.set_extra(&subfield[1..]).is_err());
        let mut output = finished.into_output();
        output.write_all(b"after").unwrap();
        let output = output.into_inner();
        let member = output.strip_prefix(b"before").unwrap();
        let member = member.strip_suffix(b"after").unwrap();
        assert!(decode(member) == [before, late, after].concat(), "{length}");
        let decoder = GzDecoder::new(member);
        assert_eq!(decoder.header().unwrap().extra(), Some(subfield.as_slice()));
    }
}

#[test]
fn reserved_content_of_another_length_is_refused() {
    let mut encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, 1).unwrap();
    encoder.reserve(10).unwrap();
    assert!(encoder.finish(&[0; 9]).is_err());
    let encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, 1).unwrap();
    assert!(encoder.finish(&[0]).is_err());
}

/// An output that is full after some bytes, and records when it is dropped.
struct Full {
    left: usize,
    dropped: Arc<AtomicBool>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::StorageFull.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        self.dropped.store(true, Relaxed);
    }
}

fn pack_until_full(left: usize, threads: usize) -> io::Result<()> {
    let dropped = Arc::new(AtomicBool::new(false));
    let output = Full {
        left,
        dropped: Arc::clone(&dropped),
    };
    let packed = (|| {
        let mut encoder = GzipEncoder::with_threads(output, 0, threads)?;
        for _ in 0..6 {
            encoder.write_all(&noise(BLOCK, 4))?;
        }
        encoder.finish(&[]).map(drop)
    })();
    assert!(dropped.load(Relaxed));
    packed
}

#[test]
fn a_full_disk_is_an_error_and_ends_the_threads() {
    let whole = 6 * (BLOCK + 165 + 5) + 10 + 2 + 8;
    for threads in [1, 3] {
        for left in [0, 9, 10, BLOCK, 3 * BLOCK, whole - 10_000] {
            let error = pack_until_full(left, threads).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{left}");
        }
        pack_until_full(whole + 100, threads).unwrap();
    }
}

#[test]
fn an_encoder_cannot_finish_after_a_failed_write() {
    let output = Full {
        left: BLOCK,
        dropped: Arc::default(),
    };
    let mut encoder = GzipEncoder::with_threads(output, 0, 1).unwrap();
    let write = |encoder: &mut GzipEncoder<_>| encoder.write_all(&noise(BLOCK, 4));
    let first = (0..6).find_map(|_| write(&mut encoder).err());
    assert_eq!(first.unwrap().kind(), io::ErrorKind::StorageFull);
    // The output has room for it, but the content before it is missing.
    encoder.write_all(b"more").unwrap();
    assert!(encoder.finish(&[]).is_err());
}

#[test]
fn dropping_the_encoder_ends_its_threads() {
    for threads in [1, 2, 7] {
        let mut encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, threads).unwrap();
        encoder.write_all(&text(4 * BLOCK)).unwrap();
        encoder.write_all(b"half").unwrap();
        let start = Instant::now();
        drop(encoder);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut deflater = Deflater::new();
    let mut deflated = Vec::new();
    deflater.deflate(content, &mut deflated).unwrap();
    deflated
}

/// Whole deflate streams, with every type of block, long codes and codes of one symbol.
fn whole_streams() -> Vec<Vec<u8>> {
    let mut streams: Vec<Vec<u8>> = contents()
        .into_iter()
        .map(|(_, content)| {
            let length = content.len().min(100_000);
            [deflate(&content[..length]), END.to_vec()].concat()
        })
        .collect();
    for level in [0, 1, 6, 9] {
        for content in [text(50_000), executable(200_000), Vec::new()] {
            let level = flate2::Compression::new(level);
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(&content).unwrap();
            streams.push(encoder.finish().unwrap());
        }
    }
    // A rarer byte has a longer code, up to the longest possible code.
    let rarer: Vec<u8> = (0..19)
        .flat_map(|n| std::iter::repeat_n(n * 13, 1 << (18 - n)))
        .collect();
    let mut shuffled: Vec<(u8, u8)> = noise(rarer.len(), 17).into_iter().zip(rarer).collect();
    shuffled.sort_by_key(|(random, _)| *random);
    let shuffled: Vec<u8> = shuffled.into_iter().map(|(_, byte)| byte).collect();
    streams.push([deflate(&shuffled), END.to_vec()].concat());
    streams
}

#[test]
fn another_stream_can_follow_a_stitched_stream() {
    let mut stitcher = Stitcher::new();
    for stream in whole_streams() {
        let mut content = Vec::new();
        flate2::read::DeflateDecoder::new(stream.as_slice())
            .read_to_end(&mut content)
            .unwrap();
        let mut opened = stream.clone();
        stitcher.open(&mut opened).unwrap();
        assert!(opened.ends_with(&[0, 0, 0xff, 0xff]));
        assert!(inflate(&opened, content.len()) == content);
        // Without a last block, the stream is no longer a whole one.
        assert!(stitcher.open(&mut opened).is_err());
    }
}

#[test]
fn stored_content_has_no_last_block() {
    let content = noise(200_000, 8);
    assert!(inflate(&store(&content), content.len()) == content);
    assert!(store(&[]).is_empty());
}

#[test]
fn a_truncated_stream_is_refused() {
    let mut stitcher = Stitcher::new();
    for stream in whole_streams() {
        for cut in (0..stream.len()).rev().take(30) {
            let mut cut = stream[..cut].to_vec();
            assert!(stitcher.open(&mut cut).is_err());
        }
        let mut longer = [stream.as_slice(), &[0]].concat();
        let error = stitcher.open(&mut longer).unwrap_err();
        assert_eq!(error, Malformed("something follows its end"));
    }
}

#[test]
fn a_damaged_stream_does_not_panic() {
    let mut stitcher = Stitcher::new();
    let mut refused = 0;
    let streams = whole_streams();
    for (number, stream) in streams.iter().enumerate() {
        let places = noise(240, number as u64 + 1);
        for pair in places.chunks(4) {
            let place = usize::from(pair[0]) << 8 | usize::from(pair[1]);
            let mut damaged = stream[..stream.len().min(10_000)].to_vec();
            let place = place % damaged.len();
            damaged[place] ^= pair[2].max(1);
            refused += usize::from(stitcher.open(&mut damaged).is_err());
        }
    }
    assert!(refused > 500, "{refused}");
    for seed in 1..3000 {
        let mut random = noise(seed % 300, seed as u64 * 77);
        let _ = stitcher.open(&mut random);
    }
}

#[test]
fn marks_beyond_the_end_have_no_parts() {
    let mut encoder = GzipEncoder::with_threads(Cursor::new(Vec::new()), 0, 1).unwrap();
    let first = encoder.restart_point().unwrap();
    let finished: Finished<_> = encoder.finish(&[]).unwrap();
    assert_eq!(finished.parts(first, first), Some((10..10, Vec::new())));
    assert!(decode(&finished.into_output().into_inner()).is_empty());
}
