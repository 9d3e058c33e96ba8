//! Packing while inputs change, and packing that is stopped.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use wasmcloud_par::archive::{Compression, Error, Input};
use wasmcloud_par::content::{ErrorKind, Meter, Stopped};

use super::{names, signer, writer};
use crate::support::archives::{LINUX, MACOS};

/// A meter that acts once, when so many bytes have been reported.
struct When<F> {
    left: AtomicU64,
    act: F,
}

impl<F: Fn() -> io::Result<()> + Send + Sync> Meter for When<F> {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        let left = self.left.load(Relaxed);
        self.left.store(left.saturating_sub(bytes), Relaxed);
        match left {
            0 => Ok(()),
            left if left <= bytes => (self.act)(),
            _ => Ok(()),
        }
    }
}

/// Packs a file under two targets, and applies `change` to it while it is packed for the first target,
/// between the two, or when everything has been read. Returns the file and the errors, and asserts that
/// no archive is left. Every second time, the file was written long before.
fn packing_while(change: fn(&Path) -> io::Result<()>) -> (PathBuf, Vec<Error>) {
    let directory = tempfile::tempdir().unwrap();
    let inputs = tempfile::tempdir().unwrap();
    let executable = inputs.path().join("executable");
    let mut writer = writer();
    for target in ["arm-linux", LINUX.0] {
        writer.executable(target.parse().unwrap(), Input::File(executable.clone()));
    }
    let destination = directory.path().join("provider.par");
    fs::write(&destination, "what was there").unwrap();
    let mut errors = Vec::new();
    for compression in [Compression::None, Compression::Gzip] {
        for age in [0, 3600] {
            fs::write(&executable, vec![7; 300_000]).unwrap();
            let total = writer.total().unwrap();
            for left in [MACOS.1.len() as u64 + 1, total - 300_000, total] {
                fs::write(&executable, vec![7; 300_000]).unwrap();
                let file = File::options().write(true).open(&executable).unwrap();
                file.set_modified(SystemTime::now() - Duration::from_secs(age))
                    .unwrap();
                let meter = When {
                    left: left.into(),
                    act: || change(&executable),
                };
                let written = writer.write(&destination, &signer(), compression, &meter);
                errors.push(written.expect_err("it changed"));
                assert_eq!(names(directory.path()), ["provider.par"]);
                assert_eq!(fs::read(&destination).unwrap(), b"what was there");
            }
        }
    }
    (executable, errors)
}

#[test]
fn an_input_that_changes_while_it_is_packed_is_noticed() {
    type Change = fn(&Path) -> io::Result<()>;
    let changes: [(&str, Change); 4] = [
        ("replaced", |path| {
            // The file exists at all times.
            let other = path.with_extension("other");
            fs::write(&other, vec![8; 300_000])?;
            fs::rename(&other, path)
        }),
        ("overwritten", |path| fs::write(path, vec![8; 300_000])),
        ("grown", |path| fs::write(path, vec![7; 900_000])),
        ("shrunk", |path| fs::write(path, vec![7; 1000])),
    ];
    for (what, change) in changes {
        let (executable, errors) = packing_while(change);
        assert_eq!(errors.len(), 12);
        for error in errors {
            assert!(
                matches!(&error, Error::InputChanged(path) if *path == executable),
                "{what}: {error:?}"
            );
        }
    }
}

#[test]
fn an_input_that_is_removed_while_it_is_packed_is_not_found() {
    let (executable, errors) = packing_while(|path| fs::remove_file(path));
    assert_eq!(errors.len(), 12);
    for error in errors {
        assert!(
            matches!(&error, Error::Read { path, .. } if *path == executable),
            "{error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

/// A meter that stops the work at this byte, counted from 1.
fn stop_at(byte: u64) -> impl Meter {
    When {
        left: byte.into(),
        act: || Err(Stopped.into()),
    }
}

#[test]
fn packing_can_be_stopped_and_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par");
    let mut writer = writer();
    let executable = vec![7; 500_000];
    writer.executable(LINUX.0.parse().unwrap(), Input::Bytes(executable.into()));
    let total = writer.total().unwrap();
    assert_eq!(total, 500_000 + MACOS.1.len() as u64);
    for byte in [1, 100, total / 2, total / 2 + 100, total] {
        for compression in [Compression::None, Compression::Gzip] {
            let meter = stop_at(byte);
            let error = writer.write(&path, &signer(), compression, &meter);
            let error = error.expect_err("it was stopped");
            assert!(is_stopped(&error), "at {byte}: {error:?}");
            assert!(
                matches!(&error, Error::Write { path: named, .. } if *named == path),
                "at {byte}: {error:?}"
            );
            assert!(names(directory.path()).is_empty(), "at {byte}");
        }
    }
    writer
        .write(&path, &signer(), Compression::Gzip, &stop_at(total + 1))
        .expect("the bytes that the meter gets add up to the total");
}

fn is_stopped(error: &(dyn std::error::Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    let stopped = io
        .and_then(io::Error::get_ref)
        .is_some_and(|inner| inner.is::<Stopped>());
    stopped || error.source().is_some_and(is_stopped)
}
