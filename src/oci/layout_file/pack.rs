//! Writing the tar: the content of the old file, and the staged content. Layouts with equal content have equal bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tar::{Builder, EntryType, Header};

use crate::content::{AtomicFile, Digest, LONG_WORK};

use super::super::error::Error;
use super::super::layout::{BLOBS, INDEX, Layout, MARKER, MARKER_BODY};
use super::entries::{Span, blob_name};
use super::file::LayoutFile;

const FILE: u32 = 0o644;
const DIRECTORY: u32 = 0o755;
/// The size of the buffer for writes, in bytes. A large buffer means few system calls.
const BUFFER: usize = 256 * 1024;

/// The content of a new file.
pub(super) struct Pack {
    /// The old file. All regular files in it are kept.
    pub(super) before: Option<LayoutFile>,
    /// The layout in a directory with the new blobs.
    pub(super) staged: Layout,
    /// The blobs of `staged` that are written to the new file.
    pub(super) added: BTreeSet<Digest>,
    /// The text of `index.json`.
    pub(super) index: String,
}

/// The source of an entry's content.
enum Origin {
    /// The content is in the old file.
    Before(Span),
    /// The content is in a staged file.
    Staged(PathBuf),
    /// The content is in memory.
    Text(Vec<u8>),
    /// A directory has no content.
    Directory,
}

impl Pack {
    /// Writes the file at `path`. The file gets its name after it is complete. Dropping the future stops the work.
    pub(super) async fn write(self, path: &Path) -> Result<(), Error> {
        let path = path.to_owned();
        let stop = StopOnDrop::default();
        let stopped = Arc::clone(&stop.0);
        LONG_WORK
            .blocking(move || self.write_until(&path, &stopped))
            .await
    }

    fn write_until(&self, path: &Path, stopped: &AtomicBool) -> Result<(), Error> {
        let file = AtomicFile::create(path).map_err(Error::file(path))?;
        if let Some(before) = &self.before {
            let resembled = file.resemble(before.file().as_file());
            resembled.map_err(Error::file(path))?;
        }
        let mut tar = Builder::new(BufWriter::with_capacity(BUFFER, file));
        for (name, origin) in self.entries() {
            self.append(&mut tar, &name, &origin, path, stopped)?;
        }
        if let Some(before) = &self.before {
            // This checks that the old file did not change while it was read.
            before.file().reader().map_err(Error::file(path))?;
        }
        let finish = || {
            let mut output = tar.into_inner()?;
            output.flush()?;
            let file = output.into_inner().map_err(|error| error.into_error())?;
            file.commit().map(drop)
        };
        finish().map_err(Error::file(path))
    }

    /// Returns the entries of the new file, sorted by name, so that a directory comes before its files.
    fn entries(&self) -> BTreeMap<String, Origin> {
        let mut entries = BTreeMap::new();
        if let Some(before) = &self.before {
            let kept = before.entries().iter();
            entries.extend(kept.map(|(name, span)| (name.clone(), Origin::Before(*span))));
        }
        for digest in &self.added {
            let staged = Origin::Staged(self.staged.blob(digest));
            entries.insert(blob_name(digest), staged);
        }
        let marker = Origin::Text(MARKER_BODY.as_bytes().to_vec());
        entries.entry(MARKER.to_owned()).or_insert(marker);
        let index = Origin::Text(self.index.clone().into_bytes());
        entries.insert(INDEX.to_owned(), index);
        let blobs = entries.keys().filter(|name| name.starts_with(BLOBS));
        let directories = blobs.filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned()));
        let mut directories: BTreeSet<String> = directories.collect();
        directories.insert(BLOBS.to_owned());
        for directory in directories {
            entries.entry(directory).or_insert(Origin::Directory);
        }
        entries
    }

    /// Appends an entry without an owner and a time. `path` names the new file in errors.
    fn append(
        &self,
        tar: &mut Builder<impl Write>,
        name: &str,
        origin: &Origin,
        path: &Path,
        stopped: &AtomicBool,
    ) -> Result<(), Error> {
        let (reader, size): (Box<dyn Read>, u64) = match origin {
            Origin::Before(span) => {
                let Some(before) = &self.before else {
                    return Ok(());
                };
                let reader = before.file().reader().and_then(|tar| span.reader(tar));
                (Box::new(reader.map_err(Error::file(path))?), span.size)
            }
            Origin::Staged(staged) => {
                let opened = File::open(staged).and_then(|file| {
                    let size = file.metadata()?.len();
                    Ok((file, size))
                });
                let (file, size) = opened.map_err(Error::file(staged))?;
                (Box::new(file), size)
            }
            Origin::Text(text) => (Box::new(text.as_slice()), text.len() as u64),
            Origin::Directory => (Box::new(io::empty()), 0),
        };
        let (kind, mode) = match origin {
            Origin::Directory => (EntryType::Directory, DIRECTORY),
            _ => (EntryType::Regular, FILE),
        };
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        let exact = Exact {
            reader: reader.take(size),
            left: size,
            stopped,
        };
        let appended = tar.append_data(&mut header, name, exact);
        appended.map_err(Error::file(path))
    }
}

/// A reader that fails if the content is shorter than its header says, or if the work was stopped.
struct Exact<'a, R> {
    reader: R,
    left: u64,
    stopped: &'a AtomicBool,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(io::Error::other("the work was cancelled"));
        }
        let count = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

/// Stops the writing thread when this value is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
