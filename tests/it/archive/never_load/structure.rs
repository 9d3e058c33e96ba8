//! Tars and gzip members that are damaged or hostile, and files of other formats.

use flate2::Compression;
use wasmcloud_par::archive::Error;

use super::{Case, bytes_case, case, none_loads};
use crate::support::archives::{ArchiveBuilder, Entry, Format, gunzip, gzip, gzip_at};

#[test]
fn names_that_could_leave_the_archive_do_not_load() {
    let forbidden: fn(&Error) -> bool = |error| matches!(error, Error::ForbiddenName { .. });
    let names: [(&'static str, &'static [u8]); 14] = [
        ("..", b".."),
        ("a directory up", b"../x86_64-linux.bin"),
        ("up and down", b"bin/../x86_64-linux.bin"),
        ("up at the end", b"bin/.."),
        ("absolute", b"/x86_64-linux.bin"),
        ("absolute twice", b"//x86_64-linux.bin"),
        ("of Windows", b"bin\\x86_64-linux.bin"),
        ("of a drive", b"C:x86_64-linux.bin"),
        ("not UTF-8", b"\xff\xfe-linux.bin"),
        ("a line end", b"x86_64\n-linux.bin"),
        ("an escape sequence", b"x86_64-\x1b[2J.bin"),
        ("hidden", b".x86_64-linux"),
        ("a dot", b"."),
        ("nothing", b""),
    ];
    let mut cases = Vec::new();
    for (what, name) in names {
        for entry in [
            Entry::file(name, "evil"),
            Entry::file(name, "evil").format(Format::Ustar),
            Entry::file("arm-linux", "evil").pax(&[("path", name)]),
            Entry::file("arm-linux", "evil").gnu_long_name(name),
        ] {
            cases.push(case(
                what,
                ArchiveBuilder::two_targets().entry(entry),
                forbidden,
            ));
        }
    }
    let inside = Entry::file("x", "evil").pax(&[("path", b"arm-linux\0.bin")]);
    cases.push(case(
        "NUL",
        ArchiveBuilder::two_targets().entry(inside),
        forbidden,
    ));
    let directory = Entry::directory("../up/");
    cases.push(case(
        "a directory up",
        ArchiveBuilder::two_targets().entry(directory),
        forbidden,
    ));
    none_loads(cases);
}

#[test]
fn entries_that_are_not_files_do_not_load() {
    let kinds: [(&'static str, u8, &'static str); 10] = [
        ("hard link", b'1', "hard link"),
        ("symbolic link", b'2', "symbolic link"),
        ("character device", b'3', "device"),
        ("block device", b'4', "device"),
        ("pipe", b'6', "pipe"),
        ("sparse file", b'S', "sparse file"),
        ("GNU long link", b'K', "special entry"),
        ("multi-volume", b'M', "special entry"),
        ("volume label", b'V', "special entry"),
        ("unknown", b'?', "special entry"),
    ];
    let is_forbidden: fn(&Error) -> bool = |error| matches!(error, Error::ForbiddenEntry { .. });
    let mut cases = Vec::new();
    for (name, kind, what) in kinds {
        let entry = Entry::file("arm-linux.bin", "")
            .kind(kind)
            .link("/etc/passwd");
        let bytes = ArchiveBuilder::two_targets().entry(entry).build();
        let error = wasmcloud_par::archive::verify(bytes.as_slice(), &Default::default());
        let text = error.unwrap_err().to_string();
        assert!(text.contains(&format!("is a {what};")), "{text}");
        cases.push(bytes_case(name, bytes, is_forbidden));
    }
    // The entries replace those that an archive needs.
    for name in ["claims.jwt", "world.wasm", "x86_64-linux.bin"] {
        let entry = Entry::file(name, "").kind(b'2').link("/etc/passwd");
        cases.push(case(
            "a link",
            ArchiveBuilder::empty().entry(entry),
            is_forbidden,
        ));
    }
    none_loads(cases);
}

#[test]
fn headers_that_are_damaged_do_not_load() {
    let damaged: fn(&Error) -> bool = |error| matches!(error, Error::DamagedTar(_));
    let more = |entry: Entry| ArchiveBuilder::two_targets().entry(entry);
    let sized = |field: &[u8; 12]| more(Entry::file("arm-linux.bin", "").size_field(*field));
    none_loads(vec![
        case(
            "a wrong checksum",
            more(Entry::file("x", "").wrong_checksum()),
            damaged,
        ),
        case("a size that is no number", sized(b"not a number"), damaged),
        case("a negative size", sized(b"-0000000001\0"), damaged),
        case(
            "PAX records without a length",
            more(Entry::pax_header("path=x\n")),
            damaged,
        ),
        case(
            "PAX records that are too short",
            more(Entry::pax_header("99 path=x\n")),
            damaged,
        ),
        case(
            "PAX records of no key",
            more(Entry::pax_header("4 x\n")),
            damaged,
        ),
        case(
            "text",
            ArchiveBuilder::two_targets().raw("no header ".repeat(60)),
            damaged,
        ),
    ]);
}

#[test]
fn data_after_the_end_does_not_load() {
    let trailing: fn(&Error) -> bool = |error| matches!(error, Error::TrailingData);
    let end = |end: Vec<u8>| ArchiveBuilder::two_targets().end(end);
    let zeros = |count: usize| vec![0; count];
    let entry = Entry::file("arm-linux.bin", "evil").bytes();
    let truncated: fn(&Error) -> bool = |error| matches!(error, Error::Truncated(_));
    none_loads(vec![
        case(
            "a byte",
            end([zeros(1024), b"x".to_vec()].concat()),
            trailing,
        ),
        case(
            "a byte far behind",
            end([zeros(100_000), b"x".to_vec()].concat()),
            trailing,
        ),
        case(
            "an entry",
            end([zeros(1024), entry.clone()].concat()),
            trailing,
        ),
        case(
            "an entry behind one block",
            end([zeros(512), entry].concat()),
            trailing,
        ),
        case(
            "another archive",
            end([zeros(1024), ArchiveBuilder::two_targets().build()].concat()),
            trailing,
        ),
        case("no end marker", end(Vec::new()), truncated),
        case("half an end marker", end(zeros(512)), truncated),
        case("an end marker but a byte", end(zeros(1023)), truncated),
    ]);
}

#[test]
fn gzip_data_that_is_not_one_whole_member_does_not_load() {
    let member = ArchiveBuilder::two_targets().build_gzip();
    let tar = gunzip(&member);
    let (first, second) = tar.split_at(1024);
    let changed = |from_end: usize| {
        let mut bytes = member.clone();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        bytes
    };
    let with = |behind: &[u8]| [member.as_slice(), behind].concat();
    let damaged: fn(&Error) -> bool = |error| matches!(error, Error::DamagedGzip(_));
    let trailing: fn(&Error) -> bool = |error| matches!(error, Error::TrailingData);
    let several: fn(&Error) -> bool = |error| matches!(error, Error::SeveralMembers);
    none_loads(vec![
        bytes_case("a wrong checksum", changed(8), damaged),
        bytes_case("a wrong length", changed(1), damaged),
        bytes_case("a byte behind it", with(b"x"), trailing),
        bytes_case("a zero behind it", with(b"\0"), trailing),
        bytes_case("a second member", with(&member), several),
        bytes_case("an empty second member", with(&gzip(b"")), several),
        bytes_case(
            "two members of one tar",
            [gzip(first), gzip(second)].concat(),
            several,
        ),
        bytes_case("only a header", member[..10].to_vec(), |error| {
            matches!(error, Error::Truncated(_))
        }),
        bytes_case(
            "another method",
            [b"\x1f\x8b\x07", &member[3..]].concat(),
            damaged,
        ),
        bytes_case("gzip in gzip", gzip(&member), |error| {
            matches!(error, Error::DamagedTar(_) | Error::NotAnArchive(_))
        }),
    ]);
}

#[test]
fn content_with_an_extreme_ratio_does_not_load() {
    let bomb: fn(&Error) -> bool = |error| matches!(error, Error::TooLarge { what, limit: 100 } if what.contains("compressed byte"));
    // More than the allowance, and far less than any other limit.
    let zeros = vec![0; 80 << 20];
    let archive = ArchiveBuilder::empty().executable("x86_64-linux.bin", &zeros);
    let bytes = gzip_at(Compression::best(), &archive.build());
    none_loads(vec![bytes_case("an executable of zeros", bytes, bomb)]);
}

#[test]
fn files_of_other_formats_do_not_load() {
    let component: fn(&Error) -> bool = |error| matches!(error, Error::Component);
    let zip: fn(&Error) -> bool = |error| matches!(error, Error::Zip);
    let other: fn(&Error) -> bool = |error| {
        matches!(
            error,
            Error::NotAnArchive(_) | Error::DamagedTar(_) | Error::Truncated(_) | Error::NoClaims
        )
    };
    let zip_entry = b"PK\x03\x04\x14\0\0\0\x08\0 claims.jwt".to_vec();
    let cases: Vec<Case> = vec![
        bytes_case("a component", b"\0asm\x0d\0\x01\0".to_vec(), component),
        bytes_case("a module", b"\0asm\x01\0\0\0 and more".to_vec(), component),
        bytes_case("a ZIP", zip_entry, zip),
        bytes_case(
            "an empty ZIP",
            [b"PK\x05\x06".as_slice(), &[0; 18]].concat(),
            other,
        ),
        bytes_case("nothing", Vec::new(), other),
        bytes_case("nothing, compressed", gzip(b""), other),
        bytes_case("a byte", b"x".to_vec(), other),
        bytes_case("the magic of gzip", b"\x1f\x8b".to_vec(), other),
        bytes_case("half the magic of gzip", b"\x1f".to_vec(), other),
        bytes_case("zeros", vec![0; 10_240], other),
        bytes_case(
            "an executable",
            b"\x7fELF\x02\x01\x01\0".repeat(1000),
            other,
        ),
        bytes_case("JSON", br#"{"errors":[{"code":"DENIED"}]}"#.to_vec(), other),
        bytes_case("a page", b"<!DOCTYPE html>".repeat(100), other),
    ];
    none_loads(cases);
}
