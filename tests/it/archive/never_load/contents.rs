//! Entries that differ from the claims, also for targets that were not asked for.

use wasmcloud_par::archive::Error;

use super::{case, none_loads};
use crate::support::archives::{ArchiveBuilder, Entry, LINUX, MACOS};

#[test]
fn entries_that_the_claims_do_not_cover_do_not_load() {
    let unclaimed: fn(&Error) -> bool = |error| matches!(error, Error::Unclaimed(_));
    let evil = |name: &str| ArchiveBuilder::two_targets().entry(Entry::file(name, "evil"));
    none_loads(vec![
        case("one executable more", evil("arm-linux.bin"), unclaimed),
        case("a file that is no executable", evil("README"), unclaimed),
        case("a name in other case", evil("CLAIMS.JWT"), unclaimed),
        case(
            "a target in other case",
            evil("X86_64-linux.bin"),
            unclaimed,
        ),
        case(
            "a target with two suffixes",
            evil("x86_64-linux.bin.bin"),
            unclaimed,
        ),
        case(
            "an empty executable",
            ArchiveBuilder::two_targets().entry(Entry::file("arm-linux.bin", "")),
            unclaimed,
        ),
        case(
            "a world",
            ArchiveBuilder::two_targets().entry(Entry::file("world.wasm", "evil")),
            |error| matches!(error, Error::Unclaimed(entry) if entry == "world.wasm"),
        ),
        case(
            "no hashes at all",
            ArchiveBuilder::two_targets()
                .wascap(|wascap| wascap["target_hashes"] = serde_json::json!({})),
            unclaimed,
        ),
    ]);
}

#[test]
fn entries_that_were_changed_do_not_load() {
    let mismatch: fn(&Error) -> bool = |error| matches!(error, Error::HashMismatch { .. });
    let with_linux = |content: &[u8]| {
        ArchiveBuilder::empty()
            .executable("aarch64-macos.bin", MACOS.1)
            .hash(LINUX.0, LINUX.1)
            .entry(Entry::file("x86_64-linux.bin", content))
    };
    none_loads(vec![
        case("another executable", with_linux(b"evil"), mismatch),
        case(
            "an executable and a byte more",
            with_linux(&[LINUX.1, b"\0"].concat()),
            mismatch,
        ),
        case(
            "an executable but its last byte",
            with_linux(&LINUX.1[1..]),
            mismatch,
        ),
        case("an executable that is empty", with_linux(b""), mismatch),
        case(
            "the executables exchanged",
            ArchiveBuilder::empty()
                .hash(MACOS.0, MACOS.1)
                .hash(LINUX.0, LINUX.1)
                .entry(Entry::file("aarch64-macos.bin", LINUX.1))
                .entry(Entry::file("x86_64-linux.bin", MACOS.1)),
            mismatch,
        ),
        case(
            "another world",
            ArchiveBuilder::two_targets()
                .hash("world.wasm", b"the world")
                .entry(Entry::file("world.wasm", "evil")),
            |error| matches!(error, Error::HashMismatch { entry, .. } if entry == "world.wasm"),
        ),
        case(
            "the world is gone",
            ArchiveBuilder::two_targets().hash("world.wasm", b"the world"),
            |error| matches!(error, Error::WorldMissing),
        ),
    ]);
}

#[test]
fn duplicate_entries_do_not_load() {
    let duplicate: fn(&Error) -> bool = |error| matches!(error, Error::DuplicateEntry(_));
    let again = |entry: Entry| ArchiveBuilder::two_targets().entry(entry);
    none_loads(vec![
        case(
            "an executable twice",
            again(Entry::file("x86_64-linux.bin", LINUX.1)),
            duplicate,
        ),
        case(
            "another executable",
            again(Entry::file("x86_64-linux.bin", "evil")),
            duplicate,
        ),
        case(
            "the same stem",
            again(Entry::file("x86_64-linux.so", "evil")),
            duplicate,
        ),
        case(
            "in a directory",
            again(Entry::file("bin/x86_64-linux", "evil")),
            duplicate,
        ),
        case(
            "by a PAX path",
            again(Entry::file("arm-linux.bin", "evil").pax(&[("path", b"x86_64-linux.bin")])),
            duplicate,
        ),
        case(
            "by a GNU long name",
            again(Entry::file("arm-linux.bin", "evil").gnu_long_name("x86_64-linux.bin")),
            duplicate,
        ),
        case(
            "two claims",
            again(Entry::file("claims.jwt", "evil")),
            duplicate,
        ),
        case(
            "two claims, one in a directory",
            again(Entry::file("a/claims.txt", "")),
            duplicate,
        ),
        case(
            "two worlds",
            ArchiveBuilder::two_targets()
                .world(b"the world")
                .entry(Entry::file("world.wasm", "the world")),
            duplicate,
        ),
    ]);
}

#[test]
fn archives_without_claims_or_executables_do_not_load() {
    none_loads(vec![
        case(
            "no claims",
            ArchiveBuilder::bare().executable("x86_64-linux.bin", LINUX.1),
            |error| matches!(error, Error::NoClaims),
        ),
        case("claims alone", ArchiveBuilder::empty(), |error| {
            matches!(error, Error::NoExecutables)
        }),
        case(
            "claims and a world",
            ArchiveBuilder::empty()
                .world(b"the world")
                .hash(LINUX.0, LINUX.1),
            |error| matches!(error, Error::NoExecutables),
        ),
        case(
            "claims and a directory",
            ArchiveBuilder::empty().entry(Entry::directory("x86_64-linux.bin/")),
            |error| matches!(error, Error::NoExecutables),
        ),
    ]);
}
