//! Archives whose sizes, or expanded sizes, exceed the limits.

use std::io::{Cursor, Read};

use flate2::Compression;
use flate2::read::GzEncoder;
use wasmcloud_par::archive::internals::read_claims;
use wasmcloud_par::archive::{Error, Limits, extract, load, verify};
use wasmcloud_par::content::ErrorKind;

use super::names;
use crate::support::archives::{ArchiveBuilder, Entry, Format, LINUX, MACOS, gzip, gzip_at};

const MIB: u64 = 1 << 20;

fn small_limits() -> Limits {
    let mut limits = Limits::default();
    limits.entries = 16;
    limits.claims = 8 * 1024;
    limits.world = MIB;
    limits.executable = MIB;
    limits.total = 4 * MIB;
    limits
}

/// Asserts that every way of reading refuses the archive early and leaves no file behind.
fn too_large(name: &str, bytes: &[u8], limits: &Limits, expected: &str) {
    let check = |error: Error| {
        let found = match &error {
            Error::TooLarge { what, .. } => (*what).to_owned(),
            Error::EntryTooLarge { name, .. } => format!("bytes in {name}"),
            _ => panic!("{name}: {error:?}"),
        };
        assert_eq!(found, expected, "{name}");
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{name}");
    };
    let mut rest = bytes;
    check(verify(&mut rest, limits).expect_err(name));
    // The reader stops long before the end of a bomb: it reads at most two buffers.
    let read = bytes.len() - rest.len();
    assert!(read <= 256 * 1024, "{name}: read {read} bytes");
    check(load(bytes, Some(MACOS.0), limits).expect_err(name));
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("executable");
    let target = LINUX.0.parse().unwrap();
    check(extract(bytes, &target, &destination, 0o555, limits).expect_err(name));
    assert!(names(directory.path()).is_empty(), "{name}");
}

/// Returns a compressed tar whose last entry has a content of zeros.
fn bomb(entry: Entry, size: u64) -> Vec<u8> {
    let start = ArchiveBuilder::two_targets()
        .end(entry.declared_size(size).bytes())
        .build();
    let tar = Cursor::new(start).chain(std::io::repeat(0).take(size.next_multiple_of(512) + 1024));
    let mut bytes = Vec::new();
    GzEncoder::new(tar, Compression::fast())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[test]
fn content_that_expands_to_more_than_the_limits_is_refused_early() {
    let size = 400 * MIB;
    let cases = [
        (
            "an executable",
            Entry::file("arm-linux.bin", ""),
            "bytes in arm-linux",
        ),
        (
            "a world",
            Entry::file("world.wasm", ""),
            "bytes in world.wasm",
        ),
        (
            "claims",
            Entry::file("claims.jwt", ""),
            "bytes in claims.jwt",
        ),
        ("a PAX header", Entry::pax_header(""), "bytes in a header"),
        (
            "a long name",
            Entry::file("././@LongLink", "").kind(b'L'),
            "bytes in a name",
        ),
    ];
    for (name, entry, expected) in cases {
        let bytes = bomb(entry, size);
        assert!(bytes.len() > 1 << 20, "there is more than may be read");
        too_large(name, &bytes, &small_limits(), expected);
    }
}

#[test]
fn zeros_after_the_end_of_an_archive_count_towards_the_limit() {
    let mut bytes = Vec::new();
    let tar = Cursor::new(ArchiveBuilder::two_targets().build());
    GzEncoder::new(
        tar.chain(std::io::repeat(0).take(400 * MIB)),
        Compression::fast(),
    )
    .read_to_end(&mut bytes)
    .unwrap();
    let expected = "zeros after the last entry";
    too_large("zeros", &bytes, &small_limits(), expected);
    // A file of zeros is a tar without entries.
    let endless = verify(std::io::repeat(0), &Limits::default());
    assert!(matches!(endless, Err(Error::TooLarge { what, .. }) if what == expected));
}

#[test]
fn the_ratio_of_inflated_to_compressed_bytes_is_limited() {
    let expected = "bytes for each compressed byte";
    let mut limits = Limits::default();
    limits.ratio_allowance = 2 * MIB;
    limits.ratio = 10;
    let bytes = bomb(Entry::file("arm-linux.bin", ""), 400 * MIB);
    too_large("a bomb", &bytes, &limits, expected);

    let zeros = ArchiveBuilder::empty().executable("x86_64-linux.bin", &vec![0; 8 << 20]);
    let plain = zeros.build();
    let compressed = gzip_at(Compression::best(), &plain);
    for ratio in [0, 10, 500] {
        limits.ratio = ratio;
        too_large("zeros", &compressed, &limits, expected);
        verify(plain.as_slice(), &limits).expect("nothing expands");
    }
    limits.ratio = 1032;
    verify(compressed.as_slice(), &limits).expect("deflate can do no more");
    limits.ratio = 0;
    limits.ratio_allowance = 9 * MIB;
    verify(compressed.as_slice(), &limits).expect("it is below the allowance");
}

#[test]
fn many_small_executables_are_too_large_together() {
    let mut builder = ArchiveBuilder::empty();
    for number in 0..8 {
        builder = builder.executable(&format!("arch{number}-linux.bin"), &vec![0; 1 << 19]);
    }
    too_large(
        "executables",
        &builder.build_gzip(),
        &small_limits(),
        "bytes when inflated",
    );
}

#[test]
fn more_entries_of_any_type_than_the_limit_are_refused() {
    type Make = fn(usize) -> Entry;
    let kinds: [(&str, Make); 4] = [
        ("directories", |_| Entry::directory("bin/")),
        ("executables", |number| {
            Entry::file(format!("arch-os{number}"), "")
        }),
        ("PAX headers", |_| {
            Entry::directory("bin/").pax(&[("mtime", b"1")])
        }),
        ("long names", |_| {
            Entry::directory("bin/").gnu_long_name("bin/")
        }),
    ];
    for (name, make) in kinds {
        for (limits, count) in [(small_limits(), 20), (Limits::default(), 2000)] {
            let builder = (0..count)
                .map(make)
                .fold(ArchiveBuilder::two_targets(), |builder, entry| {
                    builder.entry(entry)
                });
            too_large(name, &builder.build_gzip(), &limits, "entries");
        }
    }
}

#[test]
fn an_endless_stream_of_entries_is_refused() {
    let header = Entry::directory("bin/").bytes();
    let start = ArchiveBuilder::two_targets().end(Vec::new()).build();
    let endless = EndlessReader(Cursor::new(header));
    let error = verify(Cursor::new(start).chain(endless), &Limits::default()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                what: "entries",
                ..
            }
        ),
        "{error:?}"
    );
}

struct EndlessReader(Cursor<Vec<u8>>);

impl Read for EndlessReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() == self.0.get_ref().len() as u64 {
            self.0.set_position(0);
        }
        self.0.read(buffer)
    }
}

#[test]
fn absurd_sizes_are_refused_before_anything_is_read_or_reserved() {
    let base_256 = |size: u64| {
        let mut field = [0; 12];
        field[0] = 0x80;
        field[4..].copy_from_slice(&size.to_be_bytes());
        field
    };
    let sizes: [(&str, [u8; 12]); 3] = [
        ("the largest of octal numbers", *b"777777777777"),
        ("8 GiB - 1", *b"77777777777\0"),
        ("2^63", base_256(1 << 63)),
    ];
    for (name, field) in sizes {
        let executable = Entry::file("arm-linux.bin", "").size_field(field);
        let bytes = ArchiveBuilder::two_targets().entry(executable).build();
        too_large(name, &bytes, &Limits::default(), "bytes in arm-linux");
        too_large(
            name,
            &gzip(&bytes),
            &Limits::default(),
            "bytes in arm-linux",
        );

        // All other sizes exceed the data, or the largest number.
        for entry in [
            Entry::file("arm-linux.bin", ""),
            Entry::file("claims.jwt", ""),
            Entry::file("world.wasm", ""),
            Entry::directory("bin/"),
            Entry::pax_header(""),
            Entry::file("././@LongLink", "").kind(b'L'),
            Entry::file("bin/", "").format(Format::Old).kind(0),
        ] {
            let entry = entry.size_field(field);
            let bytes = ArchiveBuilder::two_targets().entry(entry).build();
            let error = verify(bytes.as_slice(), &Limits::default()).unwrap_err();
            let expected = matches!(
                error,
                Error::TooLarge { .. }
                    | Error::EntryTooLarge { .. }
                    | Error::ForbiddenEntry { .. }
                    | Error::Truncated(_)
                    | Error::DamagedTar(_)
                    | Error::DuplicateEntry(_)
            );
            assert!(expected, "{field:?}: {error:?}");
        }
    }
}

#[test]
fn a_second_size_for_an_entry_is_refused() {
    let verified = |size: &str| {
        let linux = Entry::file("x86_64-linux.bin", LINUX.1).pax(&[("size", size.as_bytes())]);
        let bytes = ArchiveBuilder::empty().executable_entry(linux).build();
        verify(bytes.as_slice(), &Limits::default())
    };
    let same = LINUX.1.len().to_string();
    for size in [same.as_str(), "0", "28", "99999999999999999999", "-1", "x"] {
        let error = verified(size).unwrap_err();
        assert!(matches!(error, Error::DamagedTar(_)), "{size}: {error:?}");
    }
    let error = verified("9000000000").unwrap_err();
    let message = error.to_string();
    assert!(message.contains("x86_64-linux"), "{message}");
    assert!(message.contains("9000000000"), "{message}");
}

#[test]
fn names_longer_than_the_limit_are_refused() {
    let long = "directory/".repeat(200) + "x86_64-linux.bin";
    for entry in [
        Entry::file("cut", LINUX.1).gnu_long_name(&long),
        Entry::file("cut", LINUX.1).pax(&[("path", long.as_bytes())]),
    ] {
        let bytes = ArchiveBuilder::empty()
            .hash(LINUX.0, LINUX.1)
            .entry(entry)
            .build();
        too_large("a name", &bytes, &Limits::default(), "bytes in a name");
    }
}

#[test]
fn reading_claims_ends_in_a_stream_without_claims() {
    let directory = Entry::directory("bin/").bytes();
    let endless = EndlessReader(Cursor::new(directory));
    let error = read_claims(endless, &Limits::default()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                what: "entries",
                ..
            }
        ),
        "{error:?}"
    );

    let bytes = bomb(Entry::file("arm-linux.bin", ""), 8 * MIB);
    let claims = read_claims(bytes.as_slice(), &Limits::default()).unwrap();
    assert_eq!(claims.executables().len(), 2, "the claims come first");
}
