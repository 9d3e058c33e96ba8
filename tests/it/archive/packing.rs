//! Packing archives: the bytes that are written, and the errors.

mod interruptions;

use std::fs;
use std::path::Path;

use nkeys::KeyPair;
use serde_json::json;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Error, Input, Key, KeyKind, Limits, Metadata, Signer, verify,
};
use wasmcloud_par::content::{ErrorKind, Silent};

use super::{names, unix};
use crate::support::archives::{LINUX, MACOS, gunzip};

fn signer() -> Signer {
    Signer::new(
        Key::generate(KeyKind::Account),
        KeyPair::new_service().public_key().parse().unwrap(),
    )
    .unwrap()
}

fn metadata() -> Metadata {
    Metadata {
        name: Some("Name".to_owned()),
        vendor: "Vendor".to_owned(),
        schema: Some(json!({"type": "object", "properties": {"port": {"type": "integer"}}})),
        ..Metadata::default()
    }
}

fn writer() -> ArchiveWriter {
    let mut writer = ArchiveWriter::new(metadata());
    // The executables are added in another order than that of the archive.
    for (target, executable) in [LINUX, MACOS] {
        writer.executable(target.parse().unwrap(), Input::Bytes(executable.into()));
    }
    writer.world(b"the world".as_slice());
    writer
}

fn write(writer: &ArchiveWriter, path: &Path, compression: Compression) -> Result<(), Error> {
    writer
        .write(path, &signer(), compression, &Silent)
        .map(drop)
}

#[test]
fn entries_are_in_order_and_their_headers_are_reproducible() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par");
    write(&writer(), &path, Compression::None).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let fields = (
            header.entry_type(),
            header.mtime().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
        );
        assert_eq!(fields, (tar::EntryType::Regular, 0, 0, 0));
        let gnu = header.as_gnu().expect("it is a GNU header");
        assert_eq!([gnu.uname, gnu.gname], [[0; 32]; 2]);
        let name = entry.path().unwrap().display().to_string();
        found.push((name, header.mode().unwrap()));
    }
    let expected = [
        ("claims.jwt", 0o644),
        ("world.wasm", 0o644),
        ("aarch64-macos.bin", 0o755),
        ("x86_64-linux.bin", 0o755),
    ];
    assert_eq!(found, expected.map(|(name, mode)| (name.to_owned(), mode)));
    assert!(bytes.ends_with(&[0; 1024]));
    assert_eq!(names(directory.path()), ["provider.par"]);
}

#[test]
fn the_same_inputs_give_the_same_bytes_except_for_the_claims() {
    let directory = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Gzip] {
        let signer = signer();
        let [first, second] = ["first", "second"].map(|name| {
            let path = directory.path().join(name);
            let written = writer().write(&path, &signer, compression, &Silent);
            let bytes = fs::read(&path).unwrap();
            let tar = if compression == Compression::Gzip {
                // RFC 1952: an extra field, no name, no time.
                assert_eq!(bytes[..8], [0x1f, 0x8b, 8, 4, 0, 0, 0, 0]);
                gunzip(&bytes)
            } else {
                bytes
            };
            let token = written.unwrap().token().len();
            tar[512 + token.next_multiple_of(512)..].to_vec()
        });
        assert_eq!(first, second);
        assert!(first.len() > 4 * 512, "that is all but the claims");
    }
}

#[test]
fn a_packed_archive_verifies_with_its_contents() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let executable = directory.path().join("executable");
    fs::write(&executable, vec![7; 300_000]).unwrap();
    let mut writer = writer();
    let replaced = writer.executable(LINUX.0.parse().unwrap(), Input::File(executable));
    assert!(matches!(replaced, Some(Input::Bytes(bytes)) if bytes == LINUX.1));
    let signer = signer();
    let claims = writer.write(&path, &signer, Compression::Gzip, &Silent);
    let contents = verify(fs::File::open(&path).unwrap(), &Limits::default()).unwrap();
    assert_eq!(contents.claims, claims.unwrap());
    assert_eq!(contents.claims.issuer(), signer.issuer());
    assert_eq!(contents.claims.metadata(), metadata());
    assert_eq!(contents.world.as_deref(), Some(b"the world".as_slice()));
    assert_eq!(contents.compression, Compression::Gzip);
    let sizes: Vec<u64> = contents.executables.into_values().collect();
    assert_eq!(sizes, [MACOS.1.len() as u64, 300_000]);
}

#[test]
fn an_archive_that_would_never_be_valid_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par");
    let mut expired = metadata();
    expired.expires = Some(unix(1));
    let mut upside_down = metadata();
    upside_down.not_before = Some(unix(9_000_000_000));
    upside_down.expires = Some(unix(8_999_999_999));
    for metadata in [expired, upside_down] {
        let error = write(&ArchiveWriter::new(metadata), &path, Compression::None).unwrap_err();
        assert!(matches!(error, Error::NeverValid { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(names(directory.path()).is_empty());
    }
}

#[test]
fn an_archive_that_becomes_valid_later_can_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par");
    let mut writer = writer();
    writer.metadata_mut().not_before = Some(unix(9_000_000_000));
    write(&writer, &path, Compression::None).unwrap();
    let error = verify(fs::File::open(&path).unwrap(), &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::NotYetValid(_)), "{error:?}");
}

#[test]
fn inputs_that_cannot_be_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = tempfile::tempdir().unwrap();
    let missing = inputs.path().join("missing");
    let cases = [
        (missing, ErrorKind::NotFound),
        (inputs.path().to_owned(), ErrorKind::Usage),
    ];
    for (input, kind) in cases {
        let mut writer = writer();
        writer.executable(LINUX.0.parse().unwrap(), Input::File(input.clone()));
        let path = directory.path().join("provider.par");
        for error in [
            writer.total().unwrap_err(),
            write(&writer, &path, Compression::Gzip).unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Read { path, .. } if *path == input),
                "{error:?}"
            );
            assert_eq!(error.kind(), kind);
        }
        assert!(names(directory.path()).is_empty());
    }
}

#[test]
fn destinations_that_cannot_be_written_are_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("directory")).unwrap();
    let cases = [
        (
            directory.path().join("missing").join("provider.par"),
            ErrorKind::NotFound,
        ),
        (directory.path().join("directory"), ErrorKind::Usage),
    ];
    for (destination, kind) in cases {
        let error = write(&writer(), &destination, Compression::None).unwrap_err();
        assert!(
            matches!(&error, Error::Write { path, .. } if *path == destination),
            "{error:?}"
        );
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(names(directory.path()), ["directory"]);
        assert!(names(&directory.path().join("directory")).is_empty());
    }
}

#[test]
fn an_archive_that_readers_refuse_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let large = |name: &str, size: u64| {
        let path = directory.path().join(name);
        fs::File::create(&path).unwrap().set_len(size).unwrap();
        Input::File(path)
    };
    type Change = Box<dyn Fn(&mut ArchiveWriter)>;
    let executable = |input: Input| -> Change {
        Box::new(move |writer| drop(writer.executable("arm-linux".parse().unwrap(), input.clone())))
    };
    let changes: [(&str, Change); 5] = [
        (
            "`arm-linux.bin` has 4294967297 bytes",
            executable(large("huge", (4 << 30) + 1)),
        ),
        ("bytes for each", executable(large("zeros", 80 << 20))),
        (
            "`world.wasm` has 8388609 bytes",
            Box::new(|writer| writer.world(vec![0; (8 << 20) + 1])),
        ),
        (
            "`claims.jwt` has",
            Box::new(|writer| writer.metadata_mut().schema = Some("x".repeat(1 << 20).into())),
        ),
        (
            "entries",
            Box::new(|writer| {
                for number in 0..1024 {
                    let target = format!("arm{number}-linux").parse().unwrap();
                    writer.executable(target, Input::Bytes("x".into()));
                }
            }),
        ),
    ];
    let destination = directory.path().join("provider.par.gz");
    for (what, change) in changes {
        let mut writer = writer();
        change(&mut writer);
        let error = write(&writer, &destination, Compression::Gzip).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(what), "{what}: {error:?}");
        assert!(!destination.exists(), "{what}");
    }
}
