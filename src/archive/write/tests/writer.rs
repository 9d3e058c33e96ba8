use std::io::Cursor;

use crate::archive::keys::{Key, KeyKind};
use crate::archive::read::verify;
use crate::content::Silent;

use super::*;

#[test]
fn readers_accept_what_the_writer_accepts_under_the_same_limits() {
    let subject = Key::generate(KeyKind::Service).public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    let mut writer = ArchiveWriter::new(Metadata::default());
    for target in ["x86_64-linux", "aarch64-linux"] {
        let input = Input::Bytes(Bytes::from_static(b"executable"));
        writer.executable(target.parse().unwrap(), input);
    }
    for compression in [Compression::None, Compression::Gzip] {
        let pack = |limits: &Limits| {
            let mut output = Cursor::new(Vec::new());
            let path = Path::new("provider.par");
            writer
                .write_to(&mut output, path, &signer, compression, limits, &Silent)
                .map(|_| output.into_inner())
        };
        // Most of such a small archive is headers and padding.
        let (mut accepted, mut refused) = (0, 0);
        for total in (0..8 * 1024).step_by(256) {
            let limits = Limits {
                total,
                ..Limits::default()
            };
            match pack(&limits) {
                Ok(archive) => {
                    verify(archive.as_slice(), &limits).unwrap();
                    accepted += 1;
                }
                Err(_) => refused += 1,
            }
        }
        assert!(accepted > 0 && refused > 0, "{accepted} {refused}");
    }
}
