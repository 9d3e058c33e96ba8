//! Writing the tar of an archive, and the index of its entries.

use std::io::{self, Seek, Write};

use tar::Header;

use crate::archive::error::Error;
use crate::archive::format::gzip::{Encoder, Finished, Mark};
use crate::archive::format::tar_stream::BLOCK;
use crate::archive::format::{Index, IndexEntry};
use crate::archive::limits::Limits;

/// Returns the size of a tar with entries of these sizes, in bytes: for each entry a header and the
/// content up to a whole block, and two blocks at the end.
pub(super) fn tar_size(entries: impl Iterator<Item = u64>) -> u64 {
    entries.fold(2 * BLOCK, |sum, size| {
        let content = size.div_ceil(BLOCK).saturating_mul(BLOCK);
        sum.saturating_add(BLOCK).saturating_add(content)
    })
}

/// Writes entries one by one. In a compressed tar, each entry can be inflated alone, and the index in the gzip header
/// gives its place.
pub(super) struct TarWriter<W> {
    encoder: Encoder<W>,
    entries: Vec<Entry>,
    indexed: bool,
}

struct Entry {
    name: String,
    size: u64,
    begin: Option<Mark>,
    end: Option<Mark>,
}

impl<W: Write + Seek> TarWriter<W> {
    pub(super) fn plain(output: W) -> Self {
        Self {
            encoder: Encoder::plain(output),
            entries: Vec::new(),
            indexed: false,
        }
    }

    /// Creates a writer of a compressed tar. `entries` has the names and sizes of the entries that will be written.
    /// They give the length of the index, which comes first in the file.
    pub(super) fn gzip(output: W, entries: &[(String, u64)]) -> io::Result<Self> {
        let entries = entries.iter();
        let extra = Index::extra_length(entries.map(|(name, size)| (name.as_str(), *size)));
        Ok(Self {
            encoder: Encoder::gzip(output, extra)?,
            entries: Vec::new(),
            indexed: extra > 0,
        })
    }

    /// Begins an entry, whose content is written next.
    pub(super) fn begin(&mut self, name: &str, size: u64, mode: u32) -> Result<(), Error> {
        let header = header(name, size, mode)?;
        let written = self.encoder.write_all(header.as_bytes());
        let begin = written.and_then(|()| self.encoder.restart_point());
        self.entries.push(Entry {
            name: name.to_owned(),
            size,
            begin: begin.map_err(Error::Stream)?,
            end: None,
        });
        Ok(())
    }

    /// Leaves room for the content of the current entry, which [`finish`](Self::finish) writes.
    pub(super) fn reserve(&mut self, length: usize) -> Result<(), Error> {
        self.encoder.reserve(length).map_err(Error::Stream)
    }

    pub(super) fn end(&mut self) -> Result<(), Error> {
        let end = self.encoder.restart_point().map_err(Error::Stream)?;
        let Some(entry) = self.entries.last_mut() else {
            return Ok(());
        };
        entry.end = end;
        let missing = entry.size.next_multiple_of(BLOCK) - entry.size;
        let written = self.encoder.write_all(&vec![0; missing as usize]);
        written.map_err(Error::Stream)
    }

    /// Ends the tar, and writes `reserved` where room was left for it.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] when the tar compresses so well that readers would refuse it.
    pub(super) fn finish(mut self, reserved: &[u8], limits: &Limits) -> Result<W, Error> {
        let mut believable = true;
        let index = |finished: &Finished<W>| {
            let entries = self.entries.iter().map(|entry| place(entry, finished));
            let index = Index::new(entries.collect::<Option<_>>()?);
            believable = index.is_believable(limits);
            self.indexed.then(|| index.extra())
        };
        let ended = self.encoder.write_all(&[0; 2 * BLOCK as usize]);
        let output = ended.and_then(|()| self.encoder.finish(reserved, index));
        let output = output.map_err(Error::Stream)?;
        if !believable {
            return Err(limits.too_much_expansion());
        }
        Ok(output)
    }
}

fn place<W: Write + Seek>(entry: &Entry, finished: &Finished<W>) -> Option<IndexEntry> {
    let (range, parts) = finished.parts(entry.begin?, entry.end?)?;
    Some(IndexEntry {
        name: entry.name.clone(),
        range,
        size: entry.size,
        parts,
    })
}

impl<W: Write + Seek> Write for TarWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

/// Returns a header that is the same in each run: it has no owner and no time.
fn header(name: &str, size: u64, mode: u32) -> Result<Header, Error> {
    let mut header = Header::new_gnu();
    header.set_path(name).map_err(Error::DamagedTar)?;
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}
