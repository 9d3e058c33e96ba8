//! A session that writes the file of a layout: from the first change until the new file is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::content::{
    Descriptor, Digest, Locking, Push, Referrer, Source, StoreError, Stored, blocking,
    directory_of, followed, is_at, is_temporary,
};

use super::super::error::Error;
use super::super::layout::{
    BLOBS, Declared, INDEX, Index, Layout, Manifests, ReadLayout, list_referrers, replace,
};
use super::super::referrers::Declaration;
use super::file::LayoutFile;
use super::pack::Pack;

/// The suffix of the directory beside the file.
const PARTIAL: &str = ".partial";
/// The name of the locked file in the directory.
const LOCK: &str = "lock";
/// The name of the layout in the directory.
const LAYOUT: &str = "layout";
/// How long to wait before trying a lock again.
const LOCK_INTERVAL: Duration = Duration::from_millis(100);

/// A session that writes the file at `path`. No other task or process writes the file during the session.
pub(super) struct Session {
    path: PathBuf,
    /// The file at the start of the session. `None` if there was no file, or if its content is not kept.
    pub(super) before: Option<LayoutFile>,
    /// The new content, and the index of old and new content.
    pub(super) staged: Layout,
    /// The blobs that this session has put into `staged`. Other blobs in it were left by an interrupted session.
    added: Mutex<BTreeSet<Digest>>,
    /// The stored manifests that have a subject, by their subjects. They are added to the lists of referrers at the end, so
    /// that the order of the lists does not depend on the order of storing.
    referrers: Mutex<BTreeMap<Digest, BTreeMap<Digest, Referrer>>>,
    declared: Declared,
    directory: StagingDirectory,
}

impl Session {
    /// Starts a session for the file at `path`. Waits until no other process writes the file. With `keep`, the content of the
    /// file is kept.
    pub(super) async fn begin(path: &Path, keep: bool) -> Result<Self, Error> {
        let directory = StagingDirectory::lock(path).await?;
        let path = path.to_owned();
        blocking(move || {
            let is_there = holds_something(&path).map_err(Error::file(&path))?;
            let before = (keep && is_there).then(|| LayoutFile::open(&path));
            let before = before.transpose()?;
            let staged = Layout::open_or_create(directory.path.join(LAYOUT))?;
            // The index that an interrupted session has left is discarded.
            let index = directory.path.join(LAYOUT).join(INDEX);
            match &before {
                Some(before) => replace(&index, before.list().text().as_bytes())?,
                None => match fs::remove_file(&index) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::file(&index)(error));
                    }
                    _ => {}
                },
            }
            Ok(Self {
                path,
                before,
                staged,
                added: Mutex::default(),
                referrers: Mutex::default(),
                declared: Declared::default(),
                directory,
            })
        })
        .await
    }

    /// Stores a blob, unless the old file has it.
    pub(super) async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        if let Some(before) = &self.before
            && before.holds(descriptor).await?
        {
            return Ok(Stored::existing(descriptor.size));
        }
        let stored = self.staged.put_blob(descriptor, source).await?;
        self.added().insert(descriptor.digest.clone());
        Ok(stored)
    }

    /// Stores a manifest, and lists it under `tag`.
    pub(super) async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        self.put_blob(descriptor, bytes).await?;
        if let Some(tag) = tag {
            self.staged.set_tag(descriptor, tag).await?;
        }
        if let Some(declared) = Declaration::of(bytes) {
            let subject = declared.subject.clone();
            let referrer = declared.describe(descriptor.clone());
            let mut all = self.referrers();
            let listed = all.entry(subject).or_default();
            listed.insert(descriptor.digest.clone(), referrer);
        }
        Ok(())
    }

    fn added(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn referrers(&self) -> MutexGuard<'_, BTreeMap<Digest, BTreeMap<Digest, Referrer>>> {
        let referrers = self.referrers.lock();
        referrers.unwrap_or_else(PoisonError::into_inner)
    }

    fn is_added(&self, digest: &Digest) -> bool {
        self.added().contains(digest)
    }

    /// Returns whether the old file has this content with this size, or the session has added it.
    pub(super) fn has(&self, content: &Descriptor) -> bool {
        let before = self.before.as_ref();
        let before = before.and_then(|before| before.blob_size(&content.digest));
        before == Some(content.size) || self.is_added(&content.digest)
    }

    /// Adds the stored referrers to the lists of their subjects. Blocks.
    fn list_referrers(&self) -> Result<(), Error> {
        let referrers = self.referrers().clone();
        for (subject, referrers) in &referrers {
            let listed = list_referrers(self, &self.staged, subject, referrers.values())?;
            self.added().extend(listed);
        }
        Ok(())
    }

    /// Writes the file, unless nothing has changed. The directory beside it is removed when the session is dropped.
    pub(super) async fn finish(self: &Arc<Self>) -> Result<(), Error> {
        let session = Arc::clone(self);
        blocking(move || session.list_referrers()).await?;
        let added = self.added().clone();
        let before = self.before.as_ref().map(LayoutFile::list);
        let text = self.staged.index().await?.sorted_after(before)?;
        let is_changed = before.is_none_or(|before| before.text() != text);
        if is_changed || !added.is_empty() {
            let pack = Pack {
                before: self.before.clone(),
                staged: self.staged.clone(),
                added,
                index: text,
            };
            pack.write(&self.path).await?;
        }
        self.directory.is_done.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Manifests for Session {
    /// Reads the index of the staged layout, which also lists the manifests of the old file.
    fn read_index(&self) -> Result<Index, Error> {
        self.staged.read_index()
    }

    fn has_blob(&self, digest: &Digest) -> bool {
        let before = self.before.as_ref();
        self.is_added(digest) || before.is_some_and(|before| before.has_blob(digest))
    }

    fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        match &self.before {
            Some(before) if !self.is_added(digest) => before.read_blob(digest),
            _ => self.staged.read_blob(digest),
        }
    }

    fn place(&self) -> &Path {
        &self.path
    }

    fn known(&self) -> &Declared {
        &self.declared
    }

    fn unlisted(&self, subject: &Digest) -> Vec<Digest> {
        let referrers = self.referrers();
        let unlisted = referrers.get(subject).into_iter();
        unlisted.flat_map(|of| of.keys().cloned()).collect()
    }
}

/// The directory beside the file. It is locked as long as this value exists.
///
/// Dropping this value removes the directory if the session has finished, or if the directory has no blobs that another
/// session could use.
struct StagingDirectory {
    path: PathBuf,
    /// The path of the file, for messages.
    file: PathBuf,
    _lock: File,
    is_done: AtomicBool,
}

impl StagingDirectory {
    /// Creates the directory beside `file`, or takes over one that an interrupted session has left. Waits while another
    /// session has the lock.
    async fn lock(file: &Path) -> Result<Self, Error> {
        let target = followed(file).map_err(Error::file(file))?;
        let mut name = OsString::from(target);
        name.push(PARTIAL);
        let path = PathBuf::from(name);
        let mut is_told = false;
        loop {
            let at = path.clone();
            let tried = blocking(move || try_lock(&at).map_err(Error::file(&at))).await?;
            match tried {
                Some(lock) => {
                    return Ok(Self {
                        path,
                        file: file.to_owned(),
                        _lock: lock,
                        is_done: AtomicBool::new(false),
                    });
                }
                None if is_told => {}
                None => {
                    is_told = true;
                    let file = file.display();
                    tracing::warn!("waiting for another process, which is writing {file}");
                }
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }
}

impl Drop for StagingDirectory {
    fn drop(&mut self) {
        let layout = self.path.join(LAYOUT);
        if !self.is_done.load(Ordering::Relaxed) && has_blobs(&layout) {
            let (file, partial) = (self.file.display(), self.path.display());
            tracing::warn!(
                "{file} is unchanged; the content that was stored so far is in {partial}, and the next command that \
                 writes {file} continues with it"
            );
            return;
        }
        // The lock file is removed after the layout, because other sessions wait for it. Removing the directory fails if
        // the next session has created its lock already.
        let removed = fs::remove_dir_all(&layout)
            .and_then(|()| fs::remove_file(self.path.join(LOCK)))
            .and_then(|()| fs::remove_dir(&self.path));
        if let Err(error) = removed {
            tracing::debug!(path = %self.path.display(), %error, "the directory was not removed");
        }
    }
}

/// Tries to lock the directory at `path`, and creates it if it does not exist. Returns `None` if another session has the
/// lock, or has just removed the directory.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = directory_of(path).display();
            let reason = format!("there is no directory {directory}");
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let at = path.join(LOCK);
    let mut options = File::options();
    let opened = options.read(true).write(true).create(true).truncate(false);
    let lock = match opened.open(&at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match Locking::exclusive(&lock, &at)? {
        Locking::Busy => Ok(None),
        Locking::Locked | Locking::Unsupported => Ok(is_at(&lock, &at)?.then_some(lock)),
    }
}

/// Whether something other than an empty file exists at `path`. An empty file is ignored, because programs create one to
/// reserve a name.
fn holds_something(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(!metadata.is_file() || metadata.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the layout in `directory` has a complete blob.
fn has_blobs(directory: &Path) -> bool {
    let Ok(algorithms) = fs::read_dir(directory.join(BLOBS)) else {
        return false;
    };
    let mut blobs = algorithms.flatten().filter_map(|algorithm| {
        let mut blobs = fs::read_dir(algorithm.path()).ok()?.flatten();
        blobs.find(|blob| !is_temporary(&blob.file_name().to_string_lossy()))
    });
    blobs.next().is_some()
}
