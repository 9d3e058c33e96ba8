use std::io::Read;

use super::*;

fn digest(mut content: impl Read) -> Result<Digest, Error> {
    digest_of(&mut |buffer| content.read(buffer).map_err(Error::Stream))
}

#[test]
fn content_of_any_length_has_its_digest() {
    let content: Vec<u8> = (0..9 * PIECE + 7).map(|i| (i % 251) as u8).collect();
    for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, content.len()] {
        let content = &content[..length];
        assert_eq!(digest(content).unwrap(), Digest::of(content), "{length}");
    }
}

#[test]
fn an_error_of_the_reader_ends_hashing() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.checked_sub(1) {
                Some(left) => self.0 = left,
                None => return Err(io::Error::other("it broke")),
            }
            Ok(buffer.len())
        }
    }
    for reads in [0, 1, 2, 20] {
        assert!(matches!(digest(Failing(reads)), Err(Error::Stream(_))));
    }
}
