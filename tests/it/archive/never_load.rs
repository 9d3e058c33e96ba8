//! Archives that must never load: every way of reading refuses each of them, and leaves no file behind.

mod claims;
mod contents;
mod hidden;
mod structure;

use std::io::Write;

use wasmcloud_par::ProviderArchive;
use wasmcloud_par::archive::{Error, Limits, extract, load, verify, verify_file};
use wasmcloud_par::content::{ErrorKind, Silent};

use super::{block_on, names};
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS, gzip};

/// An archive that must not load, and the error that says why.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    expected: fn(&Error) -> bool,
}

/// Returns a case whose bytes are a plain tar.
fn case(name: &'static str, builder: ArchiveBuilder, expected: fn(&Error) -> bool) -> Case {
    bytes_case(name, builder.build(), expected)
}

/// Returns a case of any bytes.
fn bytes_case(name: &'static str, bytes: Vec<u8>, expected: fn(&Error) -> bool) -> Case {
    Case {
        name,
        bytes,
        expected,
    }
}

/// Reads every case in every way. A case that is a plain tar is read compressed too.
fn none_loads(cases: Vec<Case>) {
    for case in cases {
        refuse(case.name, &case.bytes, case.expected);
        let is_tar = case.bytes.get(257..262) == Some(b"ustar");
        if is_tar {
            refuse(case.name, &gzip(&case.bytes), case.expected);
        }
    }
}

fn refuse(name: &str, bytes: &[u8], expected: fn(&Error) -> bool) {
    let check = |how: &str, error: &Error| {
        assert!(expected(error), "{name}, {how}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{name}, {how}");
        let text = error.to_string();
        assert!(!text.chars().any(char::is_control), "{name}: {text:?}");
    };
    let limits = Limits::default();
    check("verify", &verify(bytes, &limits).expect_err(name));
    for target in [None, Some(MACOS.0), Some("riscv64gc-linux")] {
        check("load", &load(bytes, target, &limits).expect_err(name));
    }

    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    check(
        "verify_file",
        &verify_file(&mut file, &limits, &Silent).expect_err(name),
    );

    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("executable");
    for target in [LINUX.0, MACOS.0] {
        let target = target.parse().unwrap();
        let error = extract(bytes, &target, &destination, 0o555, &limits).expect_err(name);
        check("extract", &error);
        assert!(names(directory.path()).is_empty(), "{name} leaves files");
    }

    for target in [None, Some(MACOS.0)] {
        let error = block_on(async {
            match target {
                None => ProviderArchive::try_load(bytes).await,
                Some(target) => ProviderArchive::try_load_target(bytes, target).await,
            }
        });
        let error = error.err().expect(name);
        let error = error.downcast_ref::<Error>().expect("it is our error");
        check("ProviderArchive", error);
    }
}
