//! Verifying an archive on all cores, by its index.
//!
//! The index says where the parts of each executable are. Parts of several executables are inflated at
//! the same time, while those before them are hashed. What is between the executables (headers,
//! padding, claims, the world) makes up a [`Skeleton`] of the tar, which is then read like any other.
//!
//! Every byte of the file is accounted for: each is the header, in exactly one part, or the trailer, each
//! part is proven to be one ([`Seal`]), and the checksum and the length of all of them have to be those of
//! the trailer. So whoever reads the archive from its start sees the same.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crc32fast::Hasher as Checksum;
use libdeflater::Decompressor;

use crate::content::{Meter, MeteredReader, Progress, Step};

use super::digests::{Digested, digests_of, threads};
use super::error::Error;
use super::gzip::{END, PART, Seal, TRAILER, content_begins, is_trailer};
use super::index::{Index, IndexEntry};
use super::limits::Limits;
use super::reader::{Contents, scan_known, verify};
use super::skeleton::{Skeleton, Stretch, executables};
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

/// The most bytes, compressed or not, of headers and padding between two entries.
const BETWEEN: usize = 64 * 1024;

/// Room for what surrounds the content of a part, compressed or not.
const AROUND: u64 = 4096;

/// As [`verify`](super::verify), for an archive in a file: on all cores when the archive carries an index
/// that is right, else in one pass from its start to its end.
///
/// The file is taken to stay as it is meanwhile.
///
/// # Errors
///
/// As [`verify`](super::verify).
pub fn verify_file(
    file: &mut (impl Read + Seek + Send),
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Contents, Error> {
    let size = file.seek(SeekFrom::End(0)).map_err(Error::Stream)?;
    match by_index(file, size, limits, &*progress.begin(Step::Verifying, size)) {
        Ok(contents) => return Ok(contents),
        Err(Obstacle::Stopped(error)) => return Err(Error::Stream(error)),
        Err(Obstacle::NotAsIndexed) => {}
    }
    file.rewind().map_err(Error::Stream)?;
    let meter = progress.begin(Step::Verifying, size);
    verify(MeteredReader::new(file, meter), limits)
}

/// Why an archive is not verified by its index.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// There is no index, it lies, or something is wrong with the archive: reading it from its start
    /// finds out.
    NotAsIndexed,
    /// A meter stopped it.
    Stopped(io::Error),
}

/// What can be read in any order, by any thread.
trait ReadSeek: Read + Seek + Send {}

impl<F: Read + Seek + Send> ReadSeek for F {}

/// The file, for all threads.
pub(super) struct Source<'f> {
    file: Mutex<&'f mut dyn ReadSeek>,
    meter: &'f dyn Meter,
}

impl Source<'_> {
    /// The bytes in `range`, which replace those in `buffer`.
    pub(super) fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Obstacle> {
        let length = range.end.saturating_sub(range.start);
        buffer.clear();
        // Growing on its own, the buffer of a part would take twice as much.
        let room = length.min(PART.into()) + AROUND;
        buffer.reserve_exact(usize::try_from(room).unwrap_or_default());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file
            .seek(SeekFrom::Start(range.start))
            .and_then(|_| (&mut **file).take(length).read_to_end(buffer));
        drop(file);
        self.meter.advance(length).map_err(Obstacle::Stopped)?;
        match read {
            Ok(count) if count as u64 == length => Ok(()),
            _ => Err(Obstacle::NotAsIndexed),
        }
    }
}

fn by_index(
    file: &mut dyn ReadSeek,
    size: u64,
    limits: &Limits,
    meter: &dyn Meter,
) -> Result<Contents, Obstacle> {
    let source = Source {
        file: Mutex::new(file),
        meter,
    };
    let mut head = Vec::new();
    source.read(0..size.min(Index::HEAD as u64), &mut head)?;
    let index = Index::from_head(&head).ok_or(Obstacle::NotAsIndexed)?;
    let begin = content_begins(&head).ok_or(Obstacle::NotAsIndexed)?;
    let end = size.saturating_sub(TRAILER + END.len() as u64);
    let places = places(&index, begin..end, limits).ok_or(Obstacle::NotAsIndexed)?;

    let seal = Seal::new().ok_or(Obstacle::NotAsIndexed)?;
    let entries: Vec<_> = places.iter().filter_map(Place::executable).collect();
    let digested = digests_of(&entries, &source, &seal, threads())?;
    let mut member = Member::new(&source, &seal);
    let mut digested = digested.into_iter();
    for place in &places {
        match place {
            Place::Between(range) => member.inflate(range.clone(), BETWEEN)?,
            Place::Held(entry) => {
                for (range, size) in entry.parts() {
                    member.inflate(range, size)?;
                }
            }
            Place::Executable(entry) => {
                let digested = digested.next().ok_or(Obstacle::NotAsIndexed)?;
                member.executable(entry.size, digested);
            }
        }
    }
    let stretches = member.finish(end)?;
    let known = executables(&stretches);
    let known = |position, size| match known.get(&position) {
        Some((expected, digest)) if *expected == size => Some(digest.clone()),
        _ => None,
    };
    scan_known(Skeleton::new(stretches), limits, &known).map_err(|_| Obstacle::NotAsIndexed)
}

/// A range of the file.
enum Place<'i> {
    /// Headers and padding, in one part.
    Between(Range<u64>),
    /// An entry that is small enough to be held in memory: the claims or the world.
    Held(&'i IndexEntry),
    /// An entry that is only hashed.
    Executable(&'i IndexEntry),
}

impl<'i> Place<'i> {
    fn executable(&self) -> Option<&'i IndexEntry> {
        match self {
            Self::Executable(entry) => Some(entry),
            _ => None,
        }
    }
}

/// What fills `content` of the file, without gaps. `None` when the index does not, or not in order, or
/// when it asks for more than the limits allow.
fn places<'i>(index: &'i Index, content: Range<u64>, limits: &Limits) -> Option<Vec<Place<'i>>> {
    let entries = index
        .in_parts()
        .filter(|entries| entries.len() <= limits.entries)?;
    let mut places = Vec::new();
    let mut position = content.start;
    let between = |range: Range<u64>| {
        let length = range.end.checked_sub(range.start)?;
        (length <= BETWEEN as u64).then_some(Place::Between(range))
    };
    for entry in entries {
        let (place, limit) = match entry.name.as_str() {
            CLAIMS_ENTRY => (Place::Held(entry), limits.claims),
            WORLD_ENTRY => (Place::Held(entry), limits.world),
            _ => (Place::Executable(entry), limits.executable),
        };
        if entry.size > limit {
            return None;
        }
        places.push(between(position..entry.range.start)?);
        places.push(place);
        position = entry.range.end;
    }
    places.push(between(position..content.end)?);
    let inflated = entries
        .iter()
        .try_fold(0_u64, |sum, entry| sum.checked_add(entry.size))?;
    let allowed = inflated <= limits.total && index.is_believable(limits);
    allowed.then_some(places)
}

/// Goes through the member from its start to its end.
struct Member<'s> {
    source: &'s Source<'s>,
    seal: &'s Seal,
    decompressor: Decompressor,
    part: Vec<u8>,
    stretches: Vec<Stretch>,
    checksum: Checksum,
    length: u64,
}

impl<'s> Member<'s> {
    fn new(source: &'s Source<'s>, seal: &'s Seal) -> Self {
        Self {
            source,
            seal,
            decompressor: Decompressor::new(),
            part: Vec::new(),
            stretches: Vec::new(),
            checksum: Checksum::new(),
            length: 0,
        }
    }

    /// The part in `range`, of at most `limit` bytes once inflated.
    fn inflate(&mut self, range: Range<u64>, limit: usize) -> Result<(), Obstacle> {
        let mut content = Vec::new();
        self.source.read(range, &mut self.part)?;
        self.seal
            .inflate(&mut self.decompressor, &mut self.part, &mut content, limit)
            .map_err(|_| Obstacle::NotAsIndexed)?;
        self.checksum.update(&content);
        self.length += content.len() as u64;
        self.stretches.push(Stretch::Bytes(content));
        Ok(())
    }

    fn executable(&mut self, size: u64, digested: Digested) {
        self.checksum.combine(&digested.checksum);
        self.length += size;
        self.stretches
            .push(Stretch::Executable(size, digested.digest));
    }

    /// The stretches, when what follows them at `end` is the end of a member with just this content.
    fn finish(mut self, end: u64) -> Result<Vec<Stretch>, Obstacle> {
        let last = END.len() as u64 + TRAILER;
        self.source.read(end..end + last, &mut self.part)?;
        let trailer = self.part.strip_prefix(&END);
        let checksum = self.checksum.finalize();
        if trailer.is_some_and(|bytes| is_trailer(bytes, checksum, self.length)) {
            Ok(self.stretches)
        } else {
            Err(Obstacle::NotAsIndexed)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use crate::archive::{ArchiveWriter, Compression, Input, KeyKind, Metadata, Signer};
    use crate::content::Silent;

    use super::*;

    /// Panics once.
    struct Broken(AtomicUsize);

    impl Meter for Broken {
        fn advance(&self, _: u64) -> io::Result<()> {
            assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 3, "broken");
            Ok(())
        }
    }

    /// Whether the digests of an archive of many parts come out although a meter panics.
    fn are_digested() -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provider.par.gz");
        let mut writer = ArchiveWriter::new(Metadata::default());
        // No zeros, or it would expand more than is believed.
        let parts = (0..PART).flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes());
        let executable = parts.cycle().take(12 * PART as usize).collect::<Vec<_>>();
        writer.executable(
            "x86_64-linux".parse().unwrap(),
            Input::Bytes(executable.into()),
        );
        let subject = KeyKind::Service.generate().public_key();
        let signer = Signer::new(KeyKind::Account.generate(), &subject).unwrap();
        writer
            .write(&path, &signer, Compression::Gzip, &Silent)
            .unwrap();
        let mut file = File::open(&path).unwrap();
        let index = Index::locate(&mut file, &Limits::default()).unwrap();
        let index = index.unwrap();
        let entries: Vec<_> = index.in_parts().unwrap().iter().collect();
        let source = Source {
            file: Mutex::new(&mut file),
            meter: &Broken(AtomicUsize::new(0)),
        };
        let seal = Seal::new().unwrap();
        let digested = AssertUnwindSafe(|| digests_of(&entries, &source, &seal, 8));
        catch_unwind(digested).is_ok()
    }

    #[test]
    fn a_meter_that_panics_is_no_reason_to_wait_for_ever() {
        let (ended, end) = channel();
        thread::spawn(move || ended.send(are_digested()));
        assert_eq!(end.recv_timeout(Duration::from_secs(60)), Ok(false));
    }
}
