//! Every variant of a provider archive that must load.

use serde_json::{Value, json};
use wasmcloud_par::archive::internals::read_claims;
use wasmcloud_par::archive::{Compression, Contents, Limits, extract, load, verify};

use crate::support::archives::{ArchiveBuilder, Entry, Format, LINUX, MACOS, VENDOR, gzip};

type Build = fn() -> ArchiveBuilder;

/// Archives with exactly [`LINUX`] and [`MACOS`], each in another variant.
const VARIANTS: &[(&str, Build)] = &[
    ("as existing tools write it", ArchiveBuilder::two_targets),
    ("with a world", || {
        ArchiveBuilder::empty()
            .world(b"any bytes")
            .executable("aarch64-macos.bin", MACOS.1)
            .executable("x86_64-linux.bin", LINUX.1)
    }),
    ("ustar headers", || in_format(Format::Ustar)),
    ("headers of Unix Version 7", || in_format(Format::Old)),
    ("type flag NUL, as old tars write files", || {
        with_entries(|entry| entry.kind(0).mode(0o755))
    }),
    ("contiguous files, which are files", || {
        with_entries(|entry| entry.kind(b'7'))
    }),
    ("mode 0777", || with_entries(|entry| entry.mode(0o777))),
    ("PAX headers with times and attributes", || {
        with_entries(|entry| {
            entry.format(Format::Ustar).pax(&[
                ("mtime", b"1700000000.123456789"),
                ("atime", b"1700000000.5"),
                ("SCHILY.xattr.com.apple.provenance", b"\x01\0\n\n9 path=y\n"),
            ])
        })
    }),
    ("a PAX header and a GNU long name for one entry", || {
        let macos = Entry::file("cut", MACOS.1).pax(&[("mtime", b"1")]);
        let linux = Entry::file("cut", LINUX.1).gnu_long_name("x86_64-linux.bin");
        ArchiveBuilder::empty()
            .hash(MACOS.0, MACOS.1)
            .hash(LINUX.0, LINUX.1)
            .entry(macos.gnu_long_name("aarch64-macos.bin"))
            .entry(linux.pax(&[("mtime", b"1")]))
    }),
    ("paths in PAX headers", || {
        let macos = Entry::file("short", MACOS.1).pax(&[("path", b"bin/aarch64-macos.bin")]);
        let linux = Entry::file("cut", LINUX.1).pax(&[("path", b"./x86_64-linux.bin")]);
        ArchiveBuilder::bare()
            .claims(Entry::file("x", "").pax(&[("path", b"claims.jwt")]))
            .hash(MACOS.0, MACOS.1)
            .hash(LINUX.0, LINUX.1)
            .entry(macos)
            .entry(linux)
    }),
    ("GNU long names", || {
        let directories = "directory/".repeat(30);
        let macos =
            Entry::file("cut", MACOS.1).gnu_long_name(format!("{directories}{}.bin", MACOS.0));
        ArchiveBuilder::empty()
            .hash(MACOS.0, MACOS.1)
            .entry(macos)
            .executable("x86_64-linux.bin", LINUX.1)
    }),
    ("./ in front and directory entries", || {
        ArchiveBuilder::bare()
            .entry(Entry::directory("./"))
            .claims(Entry::file("./claims.jwt", ""))
            .entry(Entry::directory("./bin/"))
            .executable("./bin/aarch64-macos.bin", MACOS.1)
            .executable("./x86_64-linux.bin", LINUX.1)
    }),
    ("folder entries of Unix Version 7", || {
        let directory = Entry::file("bin/", "").format(Format::Old).kind(0);
        ArchiveBuilder::two_targets().entry(directory)
    }),
    ("claims last", || {
        ArchiveBuilder::bare()
            .executable("x86_64-linux.bin", LINUX.1)
            .executable("aarch64-macos.bin", MACOS.1)
            .claims(Entry::file("claims.jwt", ""))
    }),
    ("claims in the middle", || {
        ArchiveBuilder::bare()
            .executable("x86_64-linux.bin", LINUX.1)
            .claims(Entry::file("claims.jwt", ""))
            .executable("aarch64-macos.bin", MACOS.1)
    }),
    ("a token with a line end", || {
        with_token(|token| token + "\n")
    }),
    ("a token with a line end of Windows", || {
        with_token(|token| token + "\r\n")
    }),
    ("no suffix", || named("aarch64-macos", "x86_64-linux")),
    ("suffixes .dylib and .so", || {
        named("aarch64-macos.dylib", "x86_64-linux.so")
    }),
    ("suffixes .dll and .exe", || {
        named("aarch64-macos.dll", "x86_64-linux.exe")
    }),
    ("in sub-directories", || {
        named("targets/a/aarch64-macos.bin", "targets/b/x86_64-linux")
    }),
    ("claim fields that are unknown", || {
        ArchiveBuilder::two_targets()
            .wascap(|wascap| {
                wascap.insert("capid".to_owned(), json!("wasmcloud:httpserver"));
            })
            .payload(|payload| {
                payload.insert("aud".to_owned(), json!(["anyone"]));
            })
    }),
    ("an old wascap_revision", || {
        ArchiveBuilder::two_targets().payload(|payload| {
            payload.insert("wascap_revision".to_owned(), json!(2));
        })
    }),
    ("no wascap_revision", || {
        ArchiveBuilder::two_targets().payload(|payload| {
            payload.remove("wascap_revision");
        })
    }),
    ("valid from long ago until far from now", || {
        ArchiveBuilder::two_targets().payload(|payload| {
            payload.insert("nbf".to_owned(), json!(1));
            payload.insert("exp".to_owned(), json!(u64::MAX));
        })
    }),
    ("the blocking factor of tar", || {
        ArchiveBuilder::two_targets().end(vec![0; 10_240])
    }),
];

fn in_format(format: Format) -> ArchiveBuilder {
    ArchiveBuilder::bare()
        .claims(Entry::file("claims.jwt", "").format(format))
        .executable_entry(Entry::file("aarch64-macos.bin", MACOS.1).format(format))
        .executable_entry(Entry::file("x86_64-linux.bin", LINUX.1).format(format))
}

fn with_entries(change: fn(Entry) -> Entry) -> ArchiveBuilder {
    ArchiveBuilder::bare()
        .claims(change(Entry::file("claims.jwt", "")))
        .executable_entry(change(Entry::file("aarch64-macos.bin", MACOS.1)))
        .executable_entry(change(Entry::file("x86_64-linux.bin", LINUX.1)))
}

fn with_token(change: fn(String) -> String) -> ArchiveBuilder {
    ArchiveBuilder::two_targets().token(move |token| change(token).into_bytes())
}

fn named(macos: &str, linux: &str) -> ArchiveBuilder {
    ArchiveBuilder::empty()
        .executable(macos, MACOS.1)
        .executable(linux, LINUX.1)
}

#[test]
fn every_variant_loads_plain_and_compressed() {
    for (variant, build) in VARIANTS {
        let plain = build().build();
        for (bytes, compression) in [
            (gzip(&plain), Compression::Gzip),
            (plain, Compression::None),
        ] {
            let contents = verify(bytes.as_slice(), &Limits::default())
                .unwrap_or_else(|error| panic!("{variant}: {error}"));
            assert_eq!(contents.compression, compression, "{variant}");
            assert_eq!(contents.absent, [], "{variant}");
            assert_eq!(sizes(&contents), [MACOS, LINUX].map(size), "{variant}");
            assert_eq!(contents.claims.metadata().vendor, VENDOR, "{variant}");

            let all = load(bytes.as_slice(), None, &Limits::default()).unwrap();
            assert_eq!(all.contents, contents, "{variant}");
            let loaded: Vec<(&str, &[u8])> = all
                .executables
                .iter()
                .map(|(target, bytes)| (target.as_str(), bytes.as_slice()))
                .collect();
            assert_eq!(loaded, [MACOS, LINUX], "{variant}");

            let one = load(bytes.as_slice(), Some(MACOS.0), &Limits::default()).unwrap();
            let bytes_of_one: Vec<&[u8]> = one.executables.values().map(Vec::as_slice).collect();
            assert_eq!(bytes_of_one, [MACOS.1], "{variant}");

            let claims = read_claims(bytes.as_slice(), &Limits::default()).unwrap();
            assert_eq!(claims, contents.claims, "{variant}");
        }
    }
}

fn size((target, executable): (&str, &[u8])) -> (String, u64) {
    (target.to_owned(), executable.len() as u64)
}

fn sizes(contents: &Contents) -> Vec<(String, u64)> {
    contents
        .executables
        .iter()
        .map(|(target, size)| (target.to_string(), *size))
        .collect()
}

#[test]
fn metadata_that_the_claims_leave_out_is_absent() {
    for field in ["name", "rev", "ver"] {
        for null in [true, false] {
            let bytes = ArchiveBuilder::two_targets()
                .wascap(move |wascap| {
                    wascap.remove(field);
                    if null {
                        wascap.insert(field.to_owned(), Value::Null);
                    }
                })
                .build();
            let contents = verify(bytes.as_slice(), &Limits::default()).unwrap();
            let metadata = contents.claims.metadata();
            assert_eq!(metadata.name.is_none(), field == "name");
            assert_eq!(metadata.revision.is_none(), field == "rev");
            assert_eq!(metadata.version.is_none(), field == "ver");
            assert_eq!(metadata.schema, None);
            assert_eq!(contents.world, None);
        }
    }
}

#[test]
fn an_archive_of_one_target_lists_the_absent_targets() {
    let bytes = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", LINUX.1)
        .hash("riscv64gc-linux", b"elsewhere")
        .hash(MACOS.0, MACOS.1)
        .build();
    let contents = verify(bytes.as_slice(), &Limits::default()).unwrap();
    assert_eq!(sizes(&contents), [size(LINUX)]);
    let absent: Vec<&str> = contents
        .absent
        .iter()
        .map(|target| target.as_str())
        .collect();
    assert_eq!(absent, [MACOS.0, "riscv64gc-linux"]);
}

#[test]
fn executables_for_unknown_targets_are_loaded() {
    let longest = format!("x86_64-{}", "o".repeat(89));
    for target in [
        "mips64-plan9",
        "armv7-linux",
        "plugin",
        "größe-linux",
        &longest,
    ] {
        let bytes = ArchiveBuilder::empty()
            .executable(&format!("{target}.bin"), b"its executable")
            .build_gzip();
        let loaded = load(bytes.as_slice(), Some(target), &Limits::default()).unwrap();
        let executables: Vec<_> = loaded.executables.into_values().collect();
        assert_eq!(executables, [b"its executable"], "{target}");
    }
}

#[test]
fn executables_with_sizes_around_a_block_are_complete() {
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("executable");
    for size in [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 300_000] {
        let executable: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();
        let bytes = ArchiveBuilder::empty()
            .executable("x86_64-linux.bin", &executable)
            .executable("aarch64-macos.bin", MACOS.1)
            .build_gzip();
        let target = LINUX.0.parse().unwrap();
        let limits = Limits::default();
        extract(bytes.as_slice(), &target, &destination, 0o555, &limits).unwrap();
        assert_eq!(std::fs::read(&destination).unwrap(), executable, "{size}");
    }
}

#[cfg(unix)]
#[test]
fn an_extracted_executable_has_the_requested_mode() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    for mode in [0o555, 0o755] {
        let destination = directory.path().join("executable");
        let bytes = ArchiveBuilder::two_targets().build();
        let target = LINUX.0.parse().unwrap();
        let limits = Limits::default();
        extract(bytes.as_slice(), &target, &destination, mode, &limits).unwrap();
        let permissions = std::fs::metadata(&destination).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o7777, mode);
        assert_eq!(super::names(directory.path()), ["executable"]);
    }
}
