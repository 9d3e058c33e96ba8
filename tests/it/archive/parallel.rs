//! Verifying a file on all cores gives the same results as reading it from its start.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nkeys::KeyPair;
use wasmcloud_par::archive::internals::Index;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Contents, Error, Input, Key, KeyKind, Limits, Metadata, Signer,
    verify, verify_file,
};
use wasmcloud_par::content::{Meter, Progress, Silent, Step, Stopped};

use crate::support::archives::{gunzip, noise};

/// The size of a part, in inflated bytes.
const PART: usize = 2 << 20;

/// Counts how many times the archive was read.
#[derive(Default)]
struct Passes(AtomicUsize);

impl Progress for Passes {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        assert_eq!(step, Step::Verifying);
        self.0.fetch_add(1, Relaxed);
        Box::new(Silent)
    }
}

/// Returns the result of verifying a file, and whether its index was used.
fn verified(path: &Path) -> (Result<Contents, Error>, bool) {
    let passes = Passes::default();
    let mut file = File::open(path).unwrap();
    let contents = verify_file(&mut file, &Limits::default(), &passes);
    (contents, passes.0.into_inner() == 1)
}

fn executable(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| (i / 5 % (199 + size % 50)) as u8)
        .collect()
}

fn sign(writer: &ArchiveWriter, path: &Path) {
    let subject = KeyPair::new_service().public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    let written = writer.write(path, &signer, Compression::Gzip, &Silent);
    written.unwrap();
}

fn write(path: &Path, sizes: &[usize], world: Option<Vec<u8>>) {
    let mut writer = ArchiveWriter::new(Metadata::default());
    for (number, size) in sizes.iter().enumerate() {
        let target = format!("arch{number}-linux").parse().unwrap();
        writer.executable(target, Input::Bytes(executable(*size).into()));
    }
    if let Some(world) = world {
        writer.world(world);
    }
    sign(&writer, path);
}

#[test]
fn verifying_with_the_index_and_reading_from_the_start_give_the_same_result() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let cases: [(&[usize], Option<Vec<u8>>); 6] = [
        (&[1], None),
        (&[0, 100, 0], None),
        (&[PART - 1, PART, PART + 1, 2 * PART], None),
        (&[PART + 7], Some(executable(3000))),
        (&[70_000], Some(executable(2 * PART + 5))),
        // More executables than threads, of very different sizes.
        (
            &[3 * PART, 10, 500_000, 512, 1024, 2 * PART + 9, 0, 64, 63],
            None,
        ),
    ];
    for (sizes, world) in cases {
        write(&path, sizes, world);
        let streamed = verify(File::open(&path).unwrap(), &Limits::default()).unwrap();
        let (contents, by_index) = verified(&path);
        assert_eq!(contents.unwrap(), streamed, "{sizes:?}");
        assert!(by_index, "{sizes:?}");
    }
}

#[test]
fn damage_gives_the_same_error_with_the_index_and_from_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    write(&path, &[200_000, 100_000], Some(executable(1000)));
    let good = fs::read(&path).unwrap();
    let head = 12 + usize::from(u16::from_le_bytes([good[10], good[11]]));
    let every = (good.len() - head) / 150;
    let places = (head..good.len()).step_by(every);
    for place in places.chain(good.len() - 10..good.len()) {
        let mut archive = good.clone();
        archive[place] ^= 0x10;
        fs::write(&path, &archive).unwrap();
        let streamed = verify(archive.as_slice(), &Limits::default());
        let (contents, _) = verified(&path);
        match (streamed, contents) {
            (Err(streamed), Err(error)) => {
                assert_eq!(error.to_string(), streamed.to_string(), "{place}");
            }
            // The unused bits of a last byte have no effect.
            (Ok(streamed), Ok(contents)) => assert_eq!(contents, streamed, "{place}"),
            other => panic!("{place}: {other:?}"),
        }
    }
    for (what, archive) in [
        ("cut", good[..good.len() - 1].to_vec()),
        ("garbage behind it", [&good[..], &[0]].concat()),
        ("another member behind it", [&good[..], &good[..]].concat()),
        ("nothing but its head", good[..head].to_vec()),
    ] {
        fs::write(&path, archive).unwrap();
        assert!(verified(&path).0.is_err(), "{what}");
    }
}

#[test]
fn the_index_of_another_archive_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    write(&path, &[200_000, 100_000], None);
    let good = fs::read(&path).unwrap();
    let expected = verify(good.as_slice(), &Limits::default()).unwrap();
    let head = 12 + usize::from(u16::from_le_bytes([good[10], good[11]]));
    assert!(Index::from_head(&good).is_some());
    let mut led_astray = 0;
    for place in 16..head {
        let mut archive = good.clone();
        archive[place] ^= 1;
        assert!(gunzip(&archive) == gunzip(&good), "only the hint differs");
        fs::write(&path, &archive).unwrap();
        let (contents, by_index) = verified(&path);
        assert_eq!(contents.unwrap(), expected, "{place}");
        led_astray += usize::from(!by_index);
    }
    // A wrong name in the index has no effect, because the names in the tar are used.
    assert!(led_astray > (head - 16) / 2, "{led_astray}");
}

#[test]
fn limits_apply_to_verifying_with_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    write(&path, &[200_000, 100_000], Some(executable(1000)));
    let set: [fn(&mut Limits); 5] = [
        |limits| limits.executable = 199_999,
        |limits| limits.total = 300_000,
        |limits| limits.world = 999,
        |limits| limits.claims = 100,
        |limits| limits.entries = 3,
    ];
    for (number, set) in set.into_iter().enumerate() {
        let mut limits = Limits::default();
        set(&mut limits);
        let error = verify_file(&mut File::open(&path).unwrap(), &limits, &Silent).unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { .. } | Error::EntryTooLarge { .. }),
            "{number}: {error:?}"
        );
    }
}

#[test]
fn the_ratio_is_limited_at_every_position() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let mut writer = ArchiveWriter::new(Metadata::default());
    let zeros = vec![0; 4 * PART];
    let contents = [("a-linux", zeros), ("b-linux", noise(PART, 1))];
    for (target, content) in contents {
        writer.executable(target.parse().unwrap(), Input::Bytes(content.into()));
    }
    sign(&writer, &path);
    let mut limits = Limits::default();
    // On average, the whole archive inflates to five bytes for each compressed byte.
    (limits.ratio, limits.ratio_allowance) = (10, PART as u64);

    let streamed = verify(File::open(&path).unwrap(), &limits).unwrap_err();
    let by_index = verify_file(&mut File::open(&path).unwrap(), &limits, &Silent).unwrap_err();

    assert!(matches!(streamed, Error::TooLarge { .. }), "{streamed:?}");
    assert_eq!(by_index.to_string(), streamed.to_string());
}

#[test]
fn verifying_can_be_stopped() {
    struct Stop;
    impl Progress for Stop {
        fn begin(&self, _step: Step, _total: u64) -> Box<dyn Meter> {
            Box::new(Self)
        }
    }
    impl Meter for Stop {
        fn advance(&self, _bytes: u64) -> std::io::Result<()> {
            Err(Stopped.into())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    write(&path, &[PART, PART], None);
    let stopped = verify_file(&mut File::open(&path).unwrap(), &Limits::default(), &Stop);
    assert!(matches!(stopped, Err(Error::Stream(_))), "{stopped:?}");
}
