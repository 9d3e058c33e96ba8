//! The index: reading one entry without the others, and indexes that are wrong.

use std::error::Error as _;
use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::write::DeflateEncoder;
use nkeys::KeyPair;
use wasmcloud_par::archive::internals::{Index, IndexEntry};
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Error, Input, Key, KeyKind, Limits, Metadata, Signer, Target,
    extract_file, verify,
};
use wasmcloud_par::content::{ErrorKind, Meter, Progress, Silent, Step, Stopped};

use super::names;
use crate::support::archives::{ArchiveBuilder, LINUX, PeerArchive, gunzip, peer_archive};

/// Returns content that is longer than a part, and not a multiple of one.
fn executable(seed: u32) -> Vec<u8> {
    (0..2_500_001_u32)
        .map(|i| (i / 5 % (200 + seed)) as u8)
        .collect()
}

fn target(name: &str) -> Target {
    name.parse().unwrap()
}

/// Writes an archive for two targets with a world.
fn write(path: &Path, compression: Compression) {
    let mut writer = ArchiveWriter::new(Metadata::default());
    for (name, seed) in [("aarch64-linux", 1), ("x86_64-linux", 2)] {
        writer.executable(target(name), Input::Bytes(executable(seed).into()));
    }
    writer.world(b"the world".as_slice());
    let subject = KeyPair::new_service().public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    writer.write(path, &signer, compression, &Silent).unwrap();
}

fn indexed() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    write(&path, Compression::Gzip);
    (directory, path)
}

fn index(bytes: &[u8]) -> Index {
    Index::from_head(&bytes[..bytes.len().min(Index::HEAD)]).expect("there is an index")
}

fn read(index: &Index, entry: &IndexEntry, archive: &[u8]) -> Vec<u8> {
    let mut file = Cursor::new(archive);
    file.seek(SeekFrom::Start(entry.range.start)).unwrap();
    let mut bytes = Vec::new();
    index.read(entry, file).read_to_end(&mut bytes).unwrap();
    bytes
}

fn extract(path: &Path, name: &str, destination: &Path) -> Result<(), Error> {
    let (target, limits) = (target(name), Limits::default());
    extract_file(path, &target, destination, 0o755, &limits, &Silent).map(drop)
}

#[test]
fn each_entry_is_read_from_its_range_alone() {
    let directory = tempfile::tempdir().unwrap();
    for compression in [Compression::Gzip, Compression::None] {
        let path = directory.path().join(compression.extension());
        write(&path, compression);
        let archive = fs::read(&path).unwrap();
        let claims = verify(archive.as_slice(), &Limits::default())
            .unwrap()
            .claims;
        let mut file = Cursor::new(archive.as_slice());
        let index = Index::locate(&mut file, &Limits::default())
            .unwrap()
            .unwrap();
        let token = read(&index, index.claims().unwrap(), &archive);
        assert_eq!(token, claims.token().as_bytes());
        assert_eq!(read(&index, index.world().unwrap(), &archive), b"the world");
        for (name, seed) in [("aarch64-linux", 1), ("x86_64-linux", 2)] {
            let entry = index.executable(&target(name)).unwrap();
            assert!(read(&index, entry, &archive) == executable(seed), "{name}");
        }
        assert_eq!(index.executable(&target("mips-linux")), None);
    }
}

#[tokio::test]
async fn archives_of_other_tools_have_no_index_and_are_read_as_a_whole() {
    for what in PeerArchive::all() {
        let directory = tempfile::tempdir().unwrap();
        let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
        let path = peer_archive(directory.path(), &what, &issuer, &subject).await;
        assert_eq!(Index::from_head(&fs::read(&path).unwrap()), None);
        let destination = directory.path().join("executable");
        extract(&path, LINUX.0, &destination).unwrap();
        assert_eq!(fs::read(&destination).unwrap(), LINUX.1);
    }
}

#[test]
fn one_executable_is_extracted_without_reading_another() {
    let (directory, path) = indexed();
    let mut archive = fs::read(&path).unwrap();
    let other = index(&archive)
        .executable(&target("x86_64-linux"))
        .unwrap()
        .range
        .clone();
    archive[other.start as usize..other.end as usize].fill(0xff);
    fs::write(&path, &archive).unwrap();
    let destination = directory.path().join("executable");
    extract(&path, "aarch64-linux", &destination).unwrap();
    assert!(fs::read(&destination).unwrap() == executable(1));
    let error = extract(&path, "x86_64-linux", &destination).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified);
    assert!(verify(archive.as_slice(), &Limits::default()).is_err());
}

/// The size of a part, once inflated.
const PART: u64 = 2 << 20;

fn number(archive: &[u8], place: usize) -> u64 {
    u64::from_le_bytes(archive[place..place + 8].try_into().unwrap())
}

/// Returns the positions in the header of the numbers of an entry: offset, size, and the length of the
/// first part.
fn numbers(archive: &[u8], entry: usize) -> [usize; 3] {
    let mut place = 12 + 4 + 7;
    for _ in 0..entry {
        place += 1 + usize::from(archive[place]);
        place += 16 + 4 * number(archive, place + 8).div_ceil(PART) as usize;
    }
    place += 1 + usize::from(archive[place]);
    [place, place + 8, place + 16]
}

/// Returns the archive with the bytes at `place` replaced.
fn changed(good: &[u8], place: usize, value: &[u8]) -> Vec<u8> {
    let mut archive = good.to_vec();
    archive[place..place + value.len()].copy_from_slice(value);
    archive
}

#[test]
fn a_wrong_index_leads_to_reading_everything_and_never_to_other_bytes() {
    let (directory, path) = indexed();
    let good = fs::read(&path).unwrap();
    // The claims, the world, and the executables in the order of their targets.
    let [claims, wanted, other] = [0, 2, 3].map(|entry| numbers(&good, entry));
    let number = |place: usize| number(&good, place);
    let part = |place: usize| u32::from_le_bytes(good[place..place + 4].try_into().unwrap());
    let wrong_indexes: [(&str, usize, Vec<u8>); 12] = [
        (
            "the offset of another executable",
            wanted[0],
            number(other[0]).to_le_bytes().to_vec(),
        ),
        (
            "an offset in the middle of a block",
            wanted[0],
            (number(wanted[0]) + 100).to_le_bytes().to_vec(),
        ),
        (
            "an offset that no file has",
            wanted[0],
            (1_u64 << 63).to_le_bytes().to_vec(),
        ),
        (
            "an offset behind the file",
            wanted[0],
            (1_u64 << 40).to_le_bytes().to_vec(),
        ),
        (
            "an offset at the end of all numbers",
            wanted[0],
            vec![0xff; 8],
        ),
        ("a part of nothing", wanted[2], vec![0; 4]),
        (
            "a part that is too short",
            wanted[2],
            (part(wanted[2]) / 2).to_le_bytes().to_vec(),
        ),
        ("an absurd part", wanted[2], vec![0xff; 4]),
        ("a size of nothing", wanted[1], vec![0; 8]),
        (
            "a size that is one too small",
            wanted[1],
            (number(wanted[1]) - 1).to_le_bytes().to_vec(),
        ),
        (
            "claims at the world",
            claims[0],
            number(numbers(&good, 1)[0]).to_le_bytes().to_vec(),
        ),
        ("claims of an absurd size", claims[1], vec![0xff; 8]),
    ];
    for (wrong, place, value) in wrong_indexes {
        let archive = changed(&good, place, &value);
        assert!(gunzip(&archive) == gunzip(&good), "only the hint differs");
        fs::write(&path, &archive).unwrap();
        let destination = directory.path().join("executable");
        extract(&path, "aarch64-linux", &destination).unwrap_or_else(|e| panic!("{wrong}: {e}"));
        assert!(fs::read(&destination).unwrap() == executable(1), "{wrong}");
        fs::remove_file(destination).unwrap();
        assert_eq!(names(directory.path()), ["provider.par.gz"], "{wrong}");
    }
}

#[test]
fn a_damaged_executable_is_refused_and_leaves_no_file() {
    let (directory, path) = indexed();
    let mut archive = fs::read(&path).unwrap();
    let range = index(&archive)
        .executable(&target("aarch64-linux"))
        .unwrap()
        .range
        .clone();
    archive[range.start as usize + 1000] ^= 1;
    fs::write(&path, &archive).unwrap();
    let error = extract(&path, "aarch64-linux", &directory.path().join("executable")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified);
    assert_eq!(names(directory.path()), ["provider.par.gz"]);
}

/// Records which steps began. They show whether the index was used.
#[derive(Default)]
struct Begun(Mutex<Vec<Step>>);

impl Progress for Begun {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        self.0.lock().unwrap().push(step);
        Silent.begin(step, total)
    }
}

#[test]
fn an_index_that_exceeds_the_limits_is_not_used() {
    let (directory, path) = indexed();
    let archive = fs::read(&path).unwrap();
    let entry = index(&archive)
        .executable(&target("aarch64-linux"))
        .unwrap()
        .clone();
    let destination = directory.path().join("executable");
    let extract = |limits: &Limits| {
        let begun = Begun::default();
        let target = target("aarch64-linux");
        let done = extract_file(&path, &target, &destination, 0o755, limits, &begun);
        (done.map(drop), begun.0.into_inner().unwrap())
    };
    let mut limits = Limits::default();
    limits.ratio_allowance = 0;
    limits.ratio = entry.size.div_ceil(entry.range.end - entry.range.start);
    let (done, begun) = extract(&limits);
    done.unwrap();
    assert_eq!(begun, [Step::Extracting]);
    fs::remove_file(&destination).unwrap();

    // Reading the whole archive fails with the limit.
    limits.ratio = limits.ratio.div_ceil(2);
    let (done, begun) = extract(&limits);
    let error = done.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified);
    let source = error.source().unwrap().to_string();
    assert!(source.contains("compressed byte"), "{source}");
    assert_eq!(begun, [Step::Verifying]);
    assert_eq!(names(directory.path()), ["provider.par.gz"]);
}

#[test]
fn extracting_by_the_index_can_be_stopped_and_leaves_no_file() {
    struct Stop;
    impl Progress for Stop {
        fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
            assert_eq!(
                (step, total),
                (Step::Extracting, executable(1).len() as u64)
            );
            Box::new(Self)
        }
    }
    impl Meter for Stop {
        fn advance(&self, _bytes: u64) -> std::io::Result<()> {
            Err(Stopped.into())
        }
    }
    let (directory, path) = indexed();
    let (target, limits) = (target("aarch64-linux"), Limits::default());
    let destination = directory.path().join("executable");
    let stopped = extract_file(&path, &target, &destination, 0o755, &limits, &Stop);
    assert!(matches!(stopped, Err(Error::Write { .. })), "{stopped:?}");
    assert_eq!(names(directory.path()), ["provider.par.gz"]);
}

#[test]
fn an_absent_target_is_named() {
    let (directory, path) = indexed();
    let error = extract(&path, "mips-linux", &directory.path().join("executable")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(names(directory.path()), ["provider.par.gz"]);
}

#[test]
fn an_index_never_leads_to_other_claims_than_those_at_the_start() {
    // Readers from the start see one archive. The index leads into the header, to the claims and the
    // executable of another one.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let mine = ArchiveBuilder::empty().executable("x86_64-linux.bin", LINUX.1);
    let mine = mine.build();
    let other = ArchiveBuilder::empty().executable("x86_64-linux.bin", b"another");
    let other = other.build();
    let token = token(&other);
    let parts = [
        ("claims.jwt", token.as_bytes()),
        ("x86_64-linux.bin", b"another"),
    ];
    let deflated = parts.map(|(name, content)| {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        (name, content.len(), encoder.finish().unwrap())
    });
    let lengths = deflated
        .each_ref()
        .map(|(name, _, _)| 1 + name.len() + 8 + 8 + 4);
    let index_length = 1 + 4 + 2 + lengths.iter().sum::<usize>();
    let mut offset = 12 + 4 + index_length + 4;
    let mut index = vec![1];
    index.extend(((2 << 20) as u32).to_le_bytes());
    index.extend(2_u16.to_le_bytes());
    let mut hidden = Vec::new();
    for (name, size, deflated) in deflated {
        index.push(name.len() as u8);
        index.extend(name.as_bytes());
        index.extend((offset as u64).to_le_bytes());
        index.extend((size as u64).to_le_bytes());
        index.extend((deflated.len() as u32).to_le_bytes());
        offset += deflated.len();
        hidden.extend(deflated);
    }
    assert_eq!(index.len(), index_length);
    let mut extra = Vec::new();
    for (name, content) in [(b"PR", index), (b"XX", hidden)] {
        extra.extend(name);
        extra.extend((content.len() as u16).to_le_bytes());
        extra.extend(content);
    }
    let file = fs::File::create(&path).unwrap();
    let builder = flate2::GzBuilder::new().extra(extra);
    let mut encoder = builder.write(file, flate2::Compression::fast());
    encoder.write_all(&mine).unwrap();
    encoder.finish().unwrap();
    assert!(
        Index::locate(&mut fs::File::open(&path).unwrap(), &Limits::default())
            .unwrap()
            .is_some()
    );

    let destination = directory.path().join("executable");
    extract(&path, "x86_64-linux", &destination).unwrap();

    assert_eq!(fs::read(&destination).unwrap(), LINUX.1);
}

fn token(archive: &[u8]) -> String {
    let mut archive = tar::Archive::new(archive);
    let mut token = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path_bytes().as_ref() == b"claims.jwt" {
            entry.read_to_string(&mut token).unwrap();
        }
    }
    token
}
