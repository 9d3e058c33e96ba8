use crate::content::Silent;

use super::*;

#[test]
fn an_error_of_the_network_is_not_taken_for_damaged_bytes() {
    struct Failing(io::ErrorKind);
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("executable");
    let written = |kind| {
        write_executable(
            Failing(kind),
            &Silent,
            &Digest::of(b"x"),
            &destination,
            0o755,
        )
    };
    for kind in [io::ErrorKind::Other, io::ErrorKind::OutOfMemory] {
        assert!(matches!(written(kind), Err(Error::Stream(_))), "{kind}");
    }
    for kind in [io::ErrorKind::InvalidInput, io::ErrorKind::UnexpectedEof] {
        assert!(matches!(written(kind), Ok(false)), "{kind}");
    }
    assert!(!destination.exists());
}
