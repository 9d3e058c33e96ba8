//! A session that writes the file of a layout: from the first change until the new file is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::content::{Descriptor, Digest, Push, Referrer, Source, StoreError, Stored, blocking};

use super::super::error::Error;
use super::super::layout::{
    Declared, INDEX, Index, Layout, Manifests, ReadLayout, list_referrers, replace,
};
use super::super::referrers::Declaration;
use super::file::LayoutFile;
use super::pack::Pack;
use super::staging::{End, StagingDirectory};

/// A session that writes the file at `path`. No other task or process writes the file during the session.
pub(super) struct Session {
    path: PathBuf,
    /// The file at the start of the session. `None` if there was no file, or if its content is not kept.
    pub(super) before: Option<LayoutFile>,
    /// The new content, and the index of old and new content.
    pub(super) staged: Layout,
    /// The blobs that this session has put into `staged`. Other blobs in it were left by an interrupted session.
    added: Mutex<BTreeSet<Digest>>,
    /// The blobs that parts of this session have staged. The new file gets those that are also in `added`.
    of_parts: Mutex<BTreeSet<Digest>>,
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
            let staged = directory.open_layout()?;
            // The index that an interrupted session has left is discarded.
            let index = directory.layout().join(INDEX);
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
                of_parts: Mutex::default(),
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
        match self.stage(descriptor, source).await? {
            Staged::Before => Ok(Stored::existing(descriptor.size)),
            Staged::Here(stored) => {
                self.added().insert(descriptor.digest.clone());
                Ok(stored)
            }
        }
    }

    /// Stores a blob for a part of the session, unless the old file has it. The new file has the blob only if the part is
    /// [added](Self::add).
    pub(super) async fn stage_for_part(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Staged, StoreError> {
        let staged = self.stage(descriptor, source).await?;
        if matches!(staged, Staged::Here(_)) {
            self.of_parts().insert(descriptor.digest.clone());
        }
        Ok(staged)
    }

    async fn stage(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Staged, StoreError> {
        if let Some(before) = &self.before
            && before.holds(descriptor).await?
        {
            return Ok(Staged::Before);
        }
        let stored = self.staged.put_blob(descriptor, source).await?;
        Ok(Staged::Here(stored))
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
        if let Some((subject, referrer)) = declared(descriptor, bytes) {
            self.add_referrer(subject, referrer);
        }
        Ok(())
    }

    fn add_referrer(&self, subject: Digest, referrer: Referrer) {
        let mut all = self.referrers();
        let listed = all.entry(subject).or_default();
        listed.insert(referrer.descriptor.digest.clone(), referrer);
    }

    /// Adds the content of a complete part to the new file.
    pub(super) async fn add(&self, content: PartContent) -> Result<(), Error> {
        self.added().extend(content.blobs);
        for (subject, referrer) in content.referrers {
            self.add_referrer(subject, referrer);
        }
        for (tag, manifest) in &content.tags {
            self.staged.set_tag(manifest, tag).await?;
        }
        Ok(())
    }

    fn added(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_parts(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.of_parts.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Writes the file, unless nothing has changed. When the session is dropped, the directory beside the file is removed,
    /// unless it has content of parts that were not added. Returns whether there is a file.
    pub(super) async fn finish(self: &Arc<Self>) -> Result<bool, Error> {
        let session = Arc::clone(self);
        blocking(move || session.list_referrers()).await?;
        let added = self.added().clone();
        let before = self.before.as_ref().map(LayoutFile::list);
        let text = self.staged.index().await?.sorted_after(before)?;
        let is_changed = before.is_some_and(|before| before.text() != text) || !added.is_empty();
        let is_whole = self.of_parts().is_subset(&added);
        if is_changed {
            let pack = Pack {
                before: self.before.clone(),
                staged: self.staged.clone(),
                added: added.clone(),
                index: text,
            };
            pack.write(&self.path).await?;
        }
        if is_whole {
            self.directory.end(End::Complete);
        } else if is_changed {
            self.directory.end(End::WithoutParts);
            let session = Arc::clone(self);
            blocking(move || {
                session.remove_staged(&added);
                Ok::<_, Error>(())
            })
            .await?;
        }
        Ok(is_changed || before.is_some())
    }

    /// Removes staged blobs that the file has now. Blocks.
    fn remove_staged(&self, blobs: &BTreeSet<Digest>) {
        for digest in blobs {
            if let Err(error) = fs::remove_file(self.staged.blob(digest)) {
                tracing::debug!(%digest, %error, "the staged blob was not removed");
            }
        }
    }
}

/// The place of a stored blob.
pub(super) enum Staged {
    /// The old file has the blob.
    Before,
    /// The blob is in the staged layout.
    Here(Stored),
}

/// The content of a part of a session.
#[derive(Debug, Default)]
pub(super) struct PartContent {
    /// The staged blobs.
    pub(super) blobs: BTreeSet<Digest>,
    /// The manifests that have a subject, each with its subject.
    pub(super) referrers: Vec<(Digest, Referrer)>,
    /// The tags, each with the manifest that it names.
    pub(super) tags: BTreeMap<String, Descriptor>,
}

/// Returns the subject of a manifest and its description as a referrer, if it has a subject.
pub(super) fn declared(manifest: &Descriptor, bytes: &Bytes) -> Option<(Digest, Referrer)> {
    let declared = Declaration::of(bytes)?;
    let subject = declared.subject.clone();
    Some((subject, declared.describe(manifest.clone())))
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

/// Whether something other than an empty file exists at `path`. An empty file is ignored, because programs create one to
/// reserve a name.
fn holds_something(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(!metadata.is_file() || metadata.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
