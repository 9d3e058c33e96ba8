//! `tar` and `gzip` read our archives, and we read theirs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nkeys::KeyPair;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Input, Key, KeyKind, Limits, Metadata, Signer, load,
};
use wasmcloud_par::content::Silent;

use super::names;
use crate::support::archives::{LINUX, MACOS};

fn ours(directory: &Path, compression: Compression) -> PathBuf {
    let mut writer = ArchiveWriter::new(Metadata::default());
    for (target, executable) in [LINUX, MACOS] {
        writer.executable(target.parse().unwrap(), Input::Bytes(executable.into()));
    }
    writer.world(b"the world".as_slice());
    let path = directory.join(format!("provider.{}", compression.extension()));
    let signer = Signer::new(
        Key::generate(KeyKind::Account),
        KeyPair::new_service().public_key().parse().unwrap(),
    );
    writer
        .write(&path, &signer.unwrap(), compression, &Silent)
        .unwrap();
    path
}

fn run(command: &mut Command) -> Output {
    let output = command
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; the tests need this program"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    assert_eq!(errors, "", "{command:?} complains");
    output
}

const ENTRIES: [&str; 4] = [
    "claims.jwt",
    "world.wasm",
    "aarch64-macos.bin",
    "x86_64-linux.bin",
];

#[test]
fn gzip_and_tar_read_our_archives_without_warnings() {
    for compression in [Compression::None, Compression::Gzip] {
        let directory = tempfile::tempdir().unwrap();
        let path = ours(directory.path(), compression);
        let mut flags = "-tf".to_owned();
        if compression == Compression::Gzip {
            run(Command::new("gzip").arg("-t").arg(&path));
            flags.insert(1, 'z');
        }
        let listed = run(Command::new("tar").arg(&flags).arg(&path));
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(listed.lines().collect::<Vec<_>>(), ENTRIES);

        let unpacked = directory.path().join("unpacked");
        fs::create_dir(&unpacked).unwrap();
        let flags = flags.replace('t', "x");
        run(Command::new("tar")
            .arg(flags)
            .arg(&path)
            .arg("-C")
            .arg(&unpacked));
        for (target, executable) in [LINUX, MACOS] {
            let file = unpacked.join(format!("{target}.bin"));
            assert_eq!(fs::read(file).unwrap(), executable);
        }
    }
}

/// Parts are compressed at the same time. This content has several.
#[test]
fn gzip_and_tar_read_archives_that_were_compressed_in_parallel() {
    let directory = tempfile::tempdir().unwrap();
    let mut executables = BTreeMap::new();
    for (number, target) in ["arm-linux", "x86_64-linux", "x86_64-windows"]
        .iter()
        .enumerate()
    {
        let mut executable = Vec::new();
        let program = fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let part = program.take(2_500_000 + 513 * number as u64);
        part.chain([0; 1_200_000].as_slice())
            .read_to_end(&mut executable)
            .unwrap();
        executables.insert(*target, executable);
    }
    let mut writer = ArchiveWriter::new(Metadata::default());
    for (target, executable) in &executables {
        let input = Input::Bytes(executable.clone().into());
        writer.executable(target.parse().unwrap(), input);
    }
    let path = directory.path().join("provider.par.gz");
    let signer = Signer::new(
        Key::generate(KeyKind::Account),
        KeyPair::new_service().public_key().parse().unwrap(),
    );
    writer
        .write(&path, &signer.unwrap(), Compression::Gzip, &Silent)
        .unwrap();

    run(Command::new("gzip").arg("-t").arg(&path));
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&path)
        .arg("-C")
        .arg(directory.path()));
    for (target, executable) in &executables {
        let unpacked = fs::read(directory.path().join(format!("{target}.bin"))).unwrap();
        assert!(unpacked == *executable, "{target}");
    }
    let loaded = load(fs::File::open(&path).unwrap(), None, &Limits::default()).unwrap();
    assert!(
        loaded
            .executables
            .into_values()
            .eq(executables.into_values())
    );
}

#[test]
fn archives_that_tar_has_packed_again_load() {
    let directory = tempfile::tempdir().unwrap();
    let path = ours(directory.path(), Compression::None);
    let unpacked = directory.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    run(Command::new("tar")
        .arg("-xf")
        .arg(&path)
        .arg("-C")
        .arg(&unpacked));
    assert_eq!(names(&unpacked).len(), ENTRIES.len());
    for format in ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"] {
        for flags in ["-cf", "-czf"] {
            let packed = directory.path().join("packed");
            run(Command::new("tar")
                .arg(format!("--format={format}"))
                .arg(flags)
                .arg(&packed)
                .arg("-C")
                .arg(&unpacked)
                .arg("."));
            let file = fs::File::open(&packed).unwrap();
            let loaded = load(file, None, &Limits::default())
                .unwrap_or_else(|error| panic!("{format} {flags}: {error}"));
            let executables: Vec<Vec<u8>> = loaded.executables.into_values().collect();
            assert_eq!(executables, [MACOS.1, LINUX.1], "{format} {flags}");
            assert_eq!(
                loaded.contents.world.as_deref(),
                Some(b"the world".as_slice())
            );
            let compressed = loaded.contents.compression == Compression::Gzip;
            assert_eq!(compressed, flags == "-czf");
        }
    }
}

/// Python has another reader than GNU. Without Python, there is nothing to compare.
#[test]
fn python_reads_our_archives() {
    let directory = tempfile::tempdir().unwrap();
    let path = ours(directory.path(), Compression::Gzip);
    let program = "import sys, tarfile; print(*tarfile.open(sys.argv[1]).getnames())";
    let mut command = Command::new("python3");
    match command.arg("-c").arg(program).arg(&path).output() {
        Ok(output) => {
            let listed = String::from_utf8(output.stdout).unwrap();
            assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ENTRIES);
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}
