//! Verifying the archive in a file.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crc32fast::Hasher as Checksum;

use crate::archive::claims::Dates;
use crate::archive::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use crate::archive::error::Error;
use crate::archive::format::gzip::{END, Seal, TRAILER, content_begins, trailer};
use crate::archive::format::{Index, IndexEntry};
use crate::archive::limits::Limits;
use crate::archive::read::scan::{Contents, Hashed, scan_known, verify_with};
use crate::content::{Meter, MeteredReader, Progress, Step};

use super::digests::{Digested, digests_of};
use super::skeleton::{Skeleton, Stretch, executables};
use super::source::{Inflater, Obstacle, ReadSeek, Source};

/// The most bytes, compressed or not, of headers and padding between two entries.
const BETWEEN: usize = 64 * 1024;

/// Verifies the archive in `file` as [`verify`](crate::archive::verify) does. It uses all cores when the archive has a
/// correct index, and else reads the archive in one pass.
///
/// The file must not change while it is verified.
///
/// # Errors
///
/// The errors of [`verify`](crate::archive::verify).
pub fn verify_file(
    file: &mut (impl Read + Seek + Send),
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Contents, Error> {
    verify_file_with(file, limits, Dates::Valid, progress)
}

/// [Verifies](verify_file) the archive in `file`, and applies `dates` to claims that are not valid now.
pub(crate) fn verify_file_with(
    file: &mut (impl Read + Seek + Send),
    limits: &Limits,
    dates: Dates,
    progress: &dyn Progress,
) -> Result<Contents, Error> {
    let size = file.seek(SeekFrom::End(0)).map_err(Error::Stream)?;
    let meter = progress.begin(Step::Verifying, size);
    match by_index(file, size, limits, dates, &*meter) {
        Ok(contents) => return Ok(contents),
        Err(Obstacle::Stopped(error)) => return Err(Error::Stream(error)),
        Err(Obstacle::NotAsIndexed) => {}
    }
    drop(meter);
    file.rewind().map_err(Error::Stream)?;
    let meter = progress.begin(Step::Verifying, size);
    verify_with(MeteredReader::new(file, meter), limits, dates)
}

fn by_index(
    file: &mut dyn ReadSeek,
    size: u64,
    limits: &Limits,
    dates: Dates,
    meter: &dyn Meter,
) -> Result<Contents, Obstacle> {
    let source = Source::new(file, meter);
    let mut head = Vec::new();
    source.read(0..size.min(Index::HEAD as u64), &mut head)?;
    let index = Index::from_head(&head).ok_or(Obstacle::NotAsIndexed)?;
    let begin = content_begins(&head).ok_or(Obstacle::NotAsIndexed)?;
    let end = size.saturating_sub(TRAILER + END.len() as u64);
    let places = places(&index, begin..end, limits).ok_or(Obstacle::NotAsIndexed)?;

    let seal = Seal::new().ok_or(Obstacle::NotAsIndexed)?;
    let entries = places.iter().filter_map(|place| match place {
        Place::Executable(entry) => Some(*entry),
        Place::Between(_) | Place::Held(_) => None,
    });
    let entries: Vec<_> = entries.collect();
    let digested = digests_of(&entries, &source, &seal)?;
    let mut member = Member {
        parts: Inflater::new(&source, &seal),
        stretches: Vec::new(),
        checksum: Checksum::new(),
        length: 0,
    };
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
    let stretches = member.finish(&source, end)?;
    let known = executables(&stretches);
    scan_known(Skeleton::new(stretches), limits, known, dates).map_err(|_| Obstacle::NotAsIndexed)
}

/// The content of a range of the file.
enum Place<'i> {
    /// Headers and padding, in one part.
    Between(Range<u64>),
    /// The claims or the world, which are small enough to be held in memory.
    Held(&'i IndexEntry),
    /// An executable, which is only hashed.
    Executable(&'i IndexEntry),
}

/// Divides the range `content` of the file into places without gaps. `None` when the entries of the index overlap or
/// are not in order, or when they exceed the limits.
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
    let mut sizes = entries.iter().map(|entry| entry.size);
    let inflated = sizes.try_fold(0_u64, u64::checked_add)?;
    (inflated <= limits.total && index.is_believable(limits)).then_some(places)
}

/// The part of the gzip member that has been read so far.
struct Member<'s> {
    parts: Inflater<'s>,
    stretches: Vec<Stretch>,
    checksum: Checksum,
    length: u64,
}

impl Member<'_> {
    /// Inflates the part in `range`, of at most `limit` bytes once inflated.
    fn inflate(&mut self, range: Range<u64>, limit: usize) -> Result<(), Obstacle> {
        let mut content = Vec::new();
        self.parts.inflate(range, &mut content, limit)?;
        self.checksum.update(&content);
        self.length += content.len() as u64;
        self.stretches.push(Stretch::Bytes(content));
        Ok(())
    }

    fn executable(&mut self, size: u64, digested: Digested) {
        self.checksum.combine(&digested.checksum);
        self.length += size;
        self.stretches.push(Stretch::Executable(Hashed {
            size,
            digest: digested.digest,
            facts: digested.facts,
        }));
    }

    /// Returns the stretches if the bytes at `end` are the end of a member with exactly this content.
    fn finish(self, source: &Source<'_>, end: u64) -> Result<Vec<Stretch>, Obstacle> {
        let mut last = Vec::new();
        source.read(end..end + END.len() as u64 + TRAILER, &mut last)?;
        let rest = last.strip_prefix(&END);
        let checksum = self.checksum.finalize();
        if rest.is_some_and(|bytes| bytes == trailer(checksum, self.length)) {
            Ok(self.stretches)
        } else {
            Err(Obstacle::NotAsIndexed)
        }
    }
}

#[cfg(test)]
#[path = "tests/verify_file.rs"]
mod tests;
