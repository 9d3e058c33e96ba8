//! Facts of executables that are read in pieces of any size.

use std::io::Cursor;

use super::*;

/// Returns the facts of `bytes`, read in pieces of this size.
fn collected(bytes: &[u8], piece: usize) -> ExecutableFacts {
    let mut collector = Collector::default();
    for piece in bytes.chunks(piece) {
        collector.add(piece);
    }
    collector.finish()
}

#[test]
fn facts_from_a_stream_equal_those_from_the_file() {
    // The executable of this test is large and has debug information.
    for path in [std::env::current_exe().unwrap(), "/bin/sh".into()] {
        let bytes = std::fs::read(&path).unwrap();
        let read = ExecutableFacts::read(&path).unwrap();
        for piece in [1021, 256 * 1024, usize::MAX] {
            assert_eq!(collected(&bytes, piece), read, "{} {piece}", path.display());
        }
    }
}

/// Every field of a header may be wrong, and the file may end anywhere.
#[test]
fn reading_a_damaged_file_does_not_panic() {
    let original = std::fs::read("/bin/sh").unwrap();
    let mut state = 17_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for _ in 0..2000 {
        let mut bytes = original.clone();
        for _ in 0..8 {
            let at = random(4096.min(bytes.len()));
            bytes[at] = random(256) as u8;
        }
        if random(4) == 0 {
            bytes.truncate(random(original.len()));
        }
        let _ = ExecutableFacts::read_from(&mut Cursor::new(&bytes)).unwrap();
        let _ = collected(&bytes, 64 * 1024);
    }
}
