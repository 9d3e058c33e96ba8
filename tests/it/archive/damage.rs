//! Every truncation and every changed byte of a small archive.

use wasmcloud_par::archive::{Error, Limits, Loaded, load, verify};
use wasmcloud_par::content::ErrorKind;

use crate::support::archives::{ArchiveBuilder, LINUX, gunzip};

fn small() -> ArchiveBuilder {
    ArchiveBuilder::empty()
        .world(b"the world")
        .executable("x86_64-linux.bin", LINUX.1)
}

#[test]
fn no_truncated_archive_loads() {
    for bytes in [small().build(), small().build_gzip()] {
        verify(bytes.as_slice(), &Limits::default()).expect("the whole archive loads");
        for length in 0..bytes.len() {
            let error = verify(&bytes[..length], &Limits::default())
                .expect_err(&format!("{length} of {} bytes", bytes.len()));
            let expected = match length {
                0 => matches!(error, Error::NotAnArchive(_)),
                _ => matches!(error, Error::Truncated(_)),
            };
            assert!(expected, "{length} of {} bytes: {error:?}", bytes.len());
        }
    }
}

/// Some bytes have no effect: the padding of a tar, the time and the system in the header of a gzip member, and bits
/// for which deflate has two encodings. A change of any other byte is noticed.
#[test]
fn a_changed_byte_never_changes_the_loaded_contents() {
    let plain = small().build();
    for (at, _) in changes_that_load(&plain) {
        assert!(is_padding(&plain, at), "byte {at}");
    }

    let compressed = small().build_gzip();
    let tar = gunzip(&compressed);
    let loading = changes_that_load(&compressed);
    for (at, changed) in &loading {
        // RFC 1952: the flags, of which FTEXT has no effect, MTIME, XFL and OS.
        let says_nothing = (3..10).contains(at);
        assert!(says_nothing || gunzip(changed) == tar, "byte {at}");
    }
    assert!(
        loading.iter().any(|(at, _)| *at == 4),
        "the time does not matter"
    );
}

/// Changes every byte in three ways. Returns the changed archives that loaded, all with the same contents.
fn changes_that_load(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let whole = loaded(bytes).unwrap();
    let mut loading = Vec::new();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x20, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] ^= flip;
            match loaded(&changed) {
                Ok(loaded) => {
                    assert_eq!(loaded, whole, "byte {at} changed by {flip:#x}");
                    loading.push((at, changed));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotVerified, "byte {at}: {error:?}");
                }
            }
        }
    }
    loading
}

fn loaded(bytes: &[u8]) -> Result<Loaded, Error> {
    load(bytes, None, &Limits::default())
}

/// Returns whether a byte is padding: after the content of an entry up to the end of its block, or in the
/// blank end of the checksum, the only field of a header that the checksum does not cover.
fn is_padding(tar: &[u8], at: usize) -> bool {
    let mut archive = tar::Archive::new(tar);
    archive.entries().unwrap().all(|entry| {
        let entry = entry.unwrap();
        let header = usize::try_from(entry.raw_header_position()).unwrap();
        let content = usize::try_from(entry.raw_file_position()).unwrap();
        let size = usize::try_from(entry.size()).unwrap();
        let matters = (header..content + size).contains(&at);
        !matters || (header + 154..header + 156).contains(&at)
    })
}
