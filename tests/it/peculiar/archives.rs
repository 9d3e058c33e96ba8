//! Archives of other tools, and claims with dates.

use std::io::Write;
use std::time::{Duration, SystemTime};

use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde_json::{Value, json};

use crate::support::archives::{ArchiveBuilder, Entry, LINUX, gzip};
use crate::support::{Environment, Outcome};

/// Writes an archive and runs a command with it.
#[track_caller]
fn run(bytes: &[u8], command: &str) -> Outcome {
    let environment = Environment::new();
    environment.write("provider.par.gz", bytes);
    environment.par([command, "provider.par.gz"])
}

/// Compresses `bytes` in members of `size` bytes each, as `bgzip` does: each with a field that has its length.
fn in_blocks(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut blocks = Vec::new();
    // The last block of `bgzip` is empty.
    for block in bytes.chunks(size).chain([b"".as_slice()]) {
        let member = GzBuilder::new().extra(b"BC\x02\0\0\0".as_slice());
        let mut member: GzEncoder<Vec<u8>> = member.write(Vec::new(), Compression::default());
        member.write_all(block).unwrap();
        blocks.extend(member.finish().unwrap());
    }
    blocks
}

#[test]
fn the_error_about_several_gzip_members_says_so() {
    let tar = ArchiveBuilder::two_targets().build();
    let cut = |position: usize| {
        let (one, other) = tar.split_at(position);
        [gzip(one), gzip(other)].concat()
    };
    let cases = [
        ("cut in a header", cut(100)),
        ("cut at a block", cut(512)),
        ("cut in the end", cut(tar.len() - 512)),
        ("cut behind the end", [gzip(&tar), gzip(b"")].concat()),
        ("an empty member first", [gzip(b""), gzip(&tar)].concat()),
        ("bgzip", in_blocks(&tar, 65_280)),
        ("bgzip with small blocks", in_blocks(&tar, 1000)),
        ("two archives", [gzip(&tar), gzip(&tar)].concat()),
    ];
    for (name, bytes) in cases {
        for command in ["verify", "extract"] {
            let refused = run(&bytes, command).exit(5);
            let said = &refused.stderr;
            assert!(said.contains("several members"), "{name}: {refused}");
            assert!(said.contains("hint: compress"), "{name}: {refused}");
            assert!(!said.contains("truncated"), "{name}: {refused}");
        }
    }
    let garbage = [gzip(&tar), b"garbage".to_vec()].concat();
    let refused = run(&garbage, "verify").exit(5);
    assert!(refused.stderr.contains("after its end"), "{refused}");
}

#[test]
fn another_compression_is_named() {
    for (magic, name) in [
        (b"\x28\xb5\x2f\xfd\0\0\0\0".as_slice(), "Zstandard"),
        (b"\xfd7zXZ\0\0\0", "xz"),
        (b"BZh91AY&", "bzip2"),
    ] {
        let refused = run(magic, "verify").exit(5);
        assert!(refused.stderr.contains(name), "{refused}");
    }
}

#[test]
fn a_size_in_an_extended_header_is_refused() {
    let with = |size: &str| {
        let records: [(&str, &[u8]); 3] = [
            ("mtime", b"1700000000.5"),
            ("path", b"x86_64-linux.bin"),
            ("size", size.as_bytes()),
        ];
        let linux = Entry::file("short.bin", LINUX.1).pax(&records);
        ArchiveBuilder::empty()
            .hash(LINUX.0, LINUX.1)
            .entry(linux)
            .build()
    };
    let right = LINUX.1.len();
    for size in [0, right - 1, right, right + 1] {
        let archive = with(&size.to_string());
        for bytes in [gzip(&archive), archive] {
            let refused = run(&bytes, "verify").exit(5);
            let expected = "the size of an entry is in an extended header";
            assert!(refused.stderr.contains(expected), "{refused}");
        }
    }
    let refused = run(&with("many"), "verify").exit(5);
    assert!(refused.stderr.contains("malformed"), "{refused}");
}

#[test]
fn the_error_about_a_limit_has_the_size_and_the_name_of_the_executable() {
    let header = Entry::file("x86_64-linux.bin", "").declared_size(5 << 30);
    let archive = ArchiveBuilder::empty().end(header.bytes()).build();
    let pax = Entry::file("x86_64-linux.bin", "x").pax(&[("size", b"9000000000")]);
    let pax = ArchiveBuilder::empty().end(pax.bytes()).build();
    for (bytes, size) in [(archive, "5368709120"), (pax, "9000000000")] {
        let refused = run(&bytes, "verify").exit(5);
        for expected in ["x86_64-linux", size, "4294967296"] {
            assert!(refused.stderr.contains(expected), "{refused}");
        }
    }
}

fn dated(name: &'static str, date: Value) -> Vec<u8> {
    ArchiveBuilder::two_targets()
        .payload(move |payload| {
            payload.insert(name.to_owned(), date);
        })
        .build()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Returns a time as messages have it.
fn utc(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(time).to_string()
}

#[test]
fn the_error_about_dates_has_both_times() {
    let day = utc(now()).split('T').next().unwrap().to_owned();
    for (name, seconds) in [
        ("exp", now() - 1),
        ("exp", now() - 3600),
        ("exp", 1_000_000_000),
        ("nbf", now() + 120),
        ("nbf", now() + 1_000_000),
    ] {
        let refused = run(&dated(name, json!(seconds)), "verify").exit(5);
        let said = &refused.stderr;
        assert!(said.contains(&utc(seconds)), "{refused}");
        assert!(said.contains(&format!("it is {day}T")), "{refused}");
        assert!(said.contains("hint: "), "{refused}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    for name in ["nbf", "iat"] {
        let soon = run(&dated(name, json!(now() + 40)), "verify").success();
        assert_eq!(soon.stderr, "", "{name}");
    }
    run(&dated("nbf", json!(now() + 300)), "verify").exit(5);
    // The time of signing may be in the future: nothing depends on it.
    let later = run(&dated("iat", json!(now() + 300)), "verify").success();
    assert!(later.stderr.contains("clocks"), "{later}");
}

#[test]
fn dates_may_have_fractions_and_impossible_ones_are_named() {
    let year = 31_536_000;
    for (name, date) in [
        ("exp", json!((now() + year) as f64 + 0.5)),
        ("exp", json!(4e9)),
        ("exp", json!(null)),
        ("nbf", json!(1_700_000_000.25)),
        ("iat", json!(1.7e9)),
    ] {
        run(&dated(name, date), "verify").success();
    }
    let refused = run(&dated("exp", json!(1_700_000_000.5)), "verify").exit(5);
    assert!(refused.stderr.contains("2023-11-14T22:13:20Z"), "{refused}");
    for date in [json!(-1), json!(1e300), json!("1700000000"), json!(true)] {
        for name in ["exp", "nbf", "iat"] {
            let refused = run(&dated(name, date.clone()), "verify").exit(5);
            assert!(
                refused.stderr.contains(&format!("`{name}` is {date}")),
                "{refused}"
            );
        }
    }
}
