//! A file that is the same for all who read it.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::regular::open_regular;

/// How much of the file is compared at a time, in bytes.
const BLOCK: u64 = 128 * 1024;

/// A file that is read several times, also at once. Whoever reads a part of it that was read before gets
/// the same bytes, or an error: what one of them has found out holds for what another one has read.
///
/// The times of a file do not tell as much: a file can change twice within one step of its clock, and
/// for a while unnoticed through a mapping. So of each block a hash is kept, under a key that nobody
/// knows: 8 bytes for 128 KiB.
#[derive(Debug, Clone)]
pub(crate) struct SteadyFile {
    path: PathBuf,
    size: u64,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    key: RandomState,
    blocks: Mutex<HashMap<u64, u64>>,
}

impl SteadyFile {
    /// The regular file at `path`, with the size that it has now.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (_, size) = open_regular(path)?;
        Ok(Self {
            path: path.to_owned(),
            size,
            seen: Arc::default(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Reads it from the start.
    pub(crate) fn reader(&self) -> io::Result<SteadyReader> {
        let (file, _) = open_regular(&self.path)?;
        Ok(SteadyReader {
            of: self.clone(),
            file,
            position: 0,
            number: None,
            block: Vec::new(),
        })
    }

    /// Whether nobody has read anything else there.
    fn is_as_seen(&self, number: u64, block: &[u8]) -> bool {
        let now = self.seen.key.hash_one(block);
        let mut blocks = self
            .seen
            .blocks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *blocks.entry(number).or_insert(now) == now
    }
}

/// Reads a [`SteadyFile`].
#[derive(Debug)]
pub(crate) struct SteadyReader {
    of: SteadyFile,
    file: File,
    position: u64,
    /// The number of the block that is in `block`.
    number: Option<u64>,
    block: Vec<u8>,
}

impl SteadyReader {
    fn load(&mut self, number: u64) -> io::Result<()> {
        self.number = None;
        self.block.clear();
        let start = number * BLOCK;
        let length = BLOCK.min(self.of.size - start);
        self.file.seek(SeekFrom::Start(start))?;
        let count = self
            .file
            .by_ref()
            .take(length)
            .read_to_end(&mut self.block)?;
        if count as u64 != length || !self.of.is_as_seen(number, &self.block) {
            return Err(io::Error::other(Changed));
        }
        self.number = Some(number);
        Ok(())
    }
}

impl Read for SteadyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.of.size {
            return Ok(0);
        }
        let number = self.position / BLOCK;
        if self.number != Some(number) {
            self.load(number)?;
        }
        let start = usize::try_from(self.position % BLOCK).unwrap_or(usize::MAX);
        let mut rest = self.block.get(start..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SteadyReader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let position = match position {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.of.size.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// A file is not what it was.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the file changed while it was being read")]
struct Changed;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SIZE: usize = 3 * BLOCK as usize + 7;

    fn file(folder: &tempfile::TempDir) -> (PathBuf, Vec<u8>) {
        let content: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
        let path = folder.path().join("file");
        fs::write(&path, &content).unwrap();
        (path, content)
    }

    fn read(reader: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn everybody_reads_the_file_from_wherever_they_like() {
        let folder = tempfile::tempdir().unwrap();
        let (path, content) = file(&folder);
        let file = SteadyFile::open(&path).unwrap();
        let (mut one, mut other) = (file.reader().unwrap(), file.reader().unwrap());
        other.seek(SeekFrom::End(-9)).unwrap();
        assert_eq!(read(&mut other).unwrap(), &content[SIZE - 9..]);
        assert_eq!(read(&mut one).unwrap(), content);
        for start in [0, 1, SIZE / 2, SIZE, SIZE + 1] {
            one.seek(SeekFrom::Start(start as u64)).unwrap();
            let rest = content.get(start..).unwrap_or_default();
            assert_eq!(read(&mut one).unwrap(), rest, "{start}");
        }
        assert!(one.seek(SeekFrom::End(-(SIZE as i64) - 1)).is_err());
    }

    #[test]
    fn one_byte_that_changes_between_two_readers_is_noticed_whatever_the_file_says_of_its_age() {
        for position in [0, BLOCK as usize, SIZE - 1] {
            let folder = tempfile::tempdir().unwrap();
            let (path, mut content) = file(&folder);
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let file = SteadyFile::open(&path).unwrap();
            read(&mut file.reader().unwrap()).unwrap();
            content[position] ^= 1;
            fs::write(&path, &content).unwrap();
            let written = File::options().write(true).open(&path).unwrap();
            written.set_modified(modified).unwrap();
            let error = read(&mut file.reader().unwrap()).unwrap_err();
            assert!(error.to_string().contains("changed"), "{error}");
            // What nobody had read before counts as it is now.
            let later = SteadyFile::open(&path).unwrap();
            assert_eq!(read(&mut later.reader().unwrap()).unwrap(), content);
        }
    }

    #[test]
    fn another_file_under_the_same_name_and_one_that_is_cut_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, content) = file(&folder);
        let file = SteadyFile::open(&path).unwrap();
        read(&mut file.reader().unwrap()).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, vec![0; SIZE]).unwrap();
        assert!(read(&mut file.reader().unwrap()).is_err());
        fs::write(&path, &content[..SIZE - 1]).unwrap();
        assert!(read(&mut file.reader().unwrap()).is_err());
    }
}
