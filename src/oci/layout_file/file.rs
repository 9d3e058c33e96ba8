//! A layout in a file, as a storage for reading.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::content::{
    Descriptor, Digest, Fetch, LONG_WORK, ManifestName, Reader, Referrers, Resolve, StoreError,
    UnchangedFile, VerifyError, VerifyReader, blocking, file_reader, is_too_large,
};
use async_trait::async_trait;
use bytes::Bytes;

use super::super::error::Error;
use super::super::layout::{
    Declared, INDEX, Index, MARKER, Manifests, ReadLayout, check_marker, range_in, without_mark,
};
use super::super::manifest::{MANIFEST_LIMIT, describe, fetch_manifest};
use super::entries::{Entries, Span, blob_name};
use super::scan::{ScanError, scan};

/// The files that a `docker-archive` has in place of the marker of a layout. The second one is that of Docker before 1.10.
const DOCKER: [&str; 2] = ["manifest.json", "repositories"];
/// The reason why a `docker-archive` is not a layout.
pub(crate) const DOCKER_ARCHIVE: &str =
    "it is a `docker-archive`, the format of `docker save` before version 25";

/// How many times the file may be replaced while it is opened.
const MOST_REPLACED: usize = 16;

/// An OCI image layout in a tar. Reading fails if the file has changed since it was opened.
#[derive(Debug, Clone)]
pub(crate) struct LayoutFile {
    file: UnchangedFile,
    entries: Arc<Entries>,
    index: Arc<Index>,
    /// The subjects and descriptions of the manifests that were read.
    declared: Declared,
}

impl LayoutFile {
    /// Opens the layout in the file at `path`, of version 1. Blocks to read the headers and the index. Reads them again if
    /// another process replaces the file meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::NotALayout`] for a file that is not the tar of a layout, [`Error::Malformed`] for a damaged one,
    /// [`Error::TooLarge`] for an index of more than [`MANIFEST_LIMIT`] bytes, and [`Error::File`].
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut before = version(path);
        for _ in 0..MOST_REPLACED {
            let opened = Self::open_once(path);
            let now = version(path);
            if opened.is_ok() || now == before {
                return opened;
            }
            before = now;
        }
        Self::open_once(path)
    }

    fn open_once(path: &Path) -> Result<Self, Error> {
        let not_a_layout = |reason| Error::NotALayout {
            directory: path.to_owned(),
            reason,
        };
        let file = match UnchangedFile::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_a_layout("there is no such file"));
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err(not_a_layout("it is a directory, not a file"));
            }
            opened => opened.map_err(Error::file(path))?,
        };
        let tar = file.reader().map_err(Error::file(path))?;
        let entries = scan(tar, file.size()).map_err(|error| match error {
            ScanError::NotATar(reason) => not_a_layout(reason),
            ScanError::Malformed(reason) => {
                Error::malformed(format!("tar {}", path.display()), reason)
            }
            ScanError::Read(source) => Error::file(path)(source),
        })?;
        let small = Small {
            file: &file,
            entries: &entries,
        };
        let marker = small.read(MARKER)?;
        let marker = marker.ok_or_else(|| {
            let is_docker = DOCKER.iter().any(|name| entries.contains_key(*name));
            not_a_layout(if is_docker {
                DOCKER_ARCHIVE
            } else {
                "it has no `oci-layout` file"
            })
        })?;
        check_marker(path, &marker)?;
        let what = format!("file {INDEX} in {}", path.display());
        let index = Index::parse(path, what, small.read(INDEX)?)?;
        Ok(Self {
            file,
            entries: Arc::new(entries),
            index: Arc::new(index),
            declared: Declared::default(),
        })
    }

    /// Whether the file has not changed since it was opened. Blocks.
    pub(crate) fn is_current(&self) -> bool {
        self.file.reader().is_ok()
    }

    pub(super) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Returns the file itself.
    pub(super) fn file(&self) -> &UnchangedFile {
        &self.file
    }

    /// Returns the list of the manifests.
    pub(super) fn list(&self) -> &Index {
        &self.index
    }

    fn blob(&self, digest: &Digest) -> Option<Span> {
        self.entries.get(&blob_name(digest)).copied()
    }

    /// Returns the size of a blob, or `None` if it is not in the layout.
    pub(super) fn blob_size(&self, digest: &Digest) -> Option<u64> {
        Some(self.blob(digest)?.size)
    }

    /// Returns whether the layout has the blob with the right digest. This reads the whole blob, because a tag must not name
    /// a damaged blob.
    pub(super) async fn holds(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        let span = self.blob(&descriptor.digest);
        let Some(span) = span.filter(|span| span.size == descriptor.size) else {
            return Ok(false);
        };
        let (file, descriptor) = (self.file.clone(), descriptor.clone());
        LONG_WORK
            .blocking(move || {
                let read = || {
                    let mut reader = VerifyReader::new(span.reader(file.reader()?)?, &descriptor);
                    io::copy(&mut reader, &mut io::sink())?;
                    reader.finish()
                };
                match read().map_err(|error| error.downcast::<VerifyError>()) {
                    Ok(()) => Ok(true),
                    Err(Ok(error)) => {
                        tracing::warn!(
                            "writing a blob of {} again: {error}",
                            file.path().display()
                        );
                        Ok(false)
                    }
                    Err(Err(error)) => Err(Error::file(file.path())(error)),
                }
            })
            .await
    }

    /// Returns the descriptor of a manifest that is not in the index. The media type is read from the manifest.
    async fn resolve_blob(&self, digest: &Digest) -> Result<Descriptor, Error> {
        let missing = || self.index.missing(digest.to_string());
        let span = self.blob(digest).ok_or_else(missing)?;
        let file = self.file.clone();
        let text = blocking(move || read_small(&file, span)).await?;
        describe(digest, &text)?.ok_or_else(missing)
    }
}

#[async_trait]
impl Fetch for LayoutFile {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let what = || format!("content {}", descriptor.digest);
        let range = range_in(descriptor, range)?;
        let Some(span) = self.blob(&descriptor.digest) else {
            return Err(self.index.missing(what()).into());
        };
        if span.size != descriptor.size {
            let actual = format!("{} bytes", span.size);
            return Err(Error::wrong_size(what(), descriptor.size, actual).into());
        }
        let file = self.file.clone();
        let opened = blocking(move || file.reader().map_err(Error::file(file.path())));
        let place = |position: u64| span.offset.saturating_add(position);
        Ok(file_reader(
            opened.await?,
            place(range.start)..place(range.end),
        ))
    }
}

#[async_trait]
impl Resolve for LayoutFile {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        Ok(match (self.index.find(name)?, name) {
            (Some(descriptor), _) => descriptor,
            (None, ManifestName::Digest(digest)) => self.resolve_blob(digest).await?,
            (None, ManifestName::Tag(tag)) => return Err(self.index.missing(tag).into()),
        })
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        fetch_manifest(self, name).await
    }

    fn as_referrers(&self) -> Option<&dyn Referrers> {
        Some(self)
    }
}

#[async_trait]
impl ReadLayout for LayoutFile {
    async fn manifests(&self) -> Arc<dyn Manifests> {
        Arc::new(self.clone())
    }
}

impl Manifests for LayoutFile {
    fn read_index(&self) -> Result<Index, Error> {
        Ok(self.index.as_ref().clone())
    }

    fn has_blob(&self, digest: &Digest) -> bool {
        self.blob(digest).is_some()
    }

    fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let missing = || self.index.missing(format!("content {digest}"));
        read_small(&self.file, self.blob(digest).ok_or_else(missing)?)
    }

    fn place(&self) -> &Path {
        self.file.path()
    }

    fn known(&self) -> &Declared {
        &self.declared
    }
}

/// The small files of a layout.
struct Small<'a> {
    file: &'a UnchangedFile,
    entries: &'a Entries,
}

impl Small<'_> {
    /// Reads a file without a byte order mark. Returns `None` when there is no such file.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let span = self.entries.get(name);
        let bytes = span.map(|span| read_small(self.file, *span)).transpose()?;
        Ok(bytes.map(without_mark))
    }
}

/// Reads at most [`MANIFEST_LIMIT`] bytes.
fn read_small(file: &UnchangedFile, span: Span) -> Result<Vec<u8>, Error> {
    let tar = file.reader().map_err(Error::file(file.path()))?;
    span.read(tar, MANIFEST_LIMIT).map_err(|source| {
        if is_too_large(&source) {
            let what = format!("file in {}", file.path().display());
            Error::too_large(what, MANIFEST_LIMIT)
        } else {
            Error::file(file.path())(source)
        }
    })
}

/// Returns what changes when another file is written to `path`: the size and the time of modification.
fn version(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
