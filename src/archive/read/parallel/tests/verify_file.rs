use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::archive::format::gzip::PART;
use crate::archive::{ArchiveWriter, Compression, Input, Key, KeyKind, Metadata, Signer};
use crate::content::Silent;

use super::*;

/// A meter that panics once.
struct Broken(AtomicUsize);

impl Meter for Broken {
    fn advance(&self, _: u64) -> io::Result<()> {
        assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 3, "broken");
        Ok(())
    }
}

/// Returns whether an archive of many parts is hashed although a meter panics.
fn are_digested() -> bool {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let mut writer = ArchiveWriter::new(Metadata::default());
    // The content is not zeros, because they would exceed the limit on compression.
    let parts = (0..PART).flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes());
    let executable = parts.cycle().take(12 * PART as usize).collect::<Vec<_>>();
    writer.executable(
        "x86_64-linux".parse().unwrap(),
        Input::Bytes(executable.into()),
    );
    let subject = Key::generate(KeyKind::Service).public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    writer
        .write(&path, &signer, Compression::Gzip, &Silent)
        .unwrap();
    let mut file = File::open(&path).unwrap();
    let index = Index::locate(&mut file, &Limits::default()).unwrap();
    let index = index.unwrap();
    let entries: Vec<_> = index.in_parts().unwrap().iter().collect();
    let meter = Broken(AtomicUsize::new(0));
    let source = Source::new(&mut file, &meter);
    let seal = Seal::new().unwrap();
    let digested = AssertUnwindSafe(|| digests_of(&entries, &source, &seal));
    catch_unwind(digested).is_ok()
}

#[test]
fn a_meter_that_panics_ends_the_work_of_all_threads() {
    let (ended, end) = channel();
    thread::spawn(move || ended.send(are_digested()));
    assert_eq!(end.recv_timeout(Duration::from_secs(60)), Ok(false));
}
