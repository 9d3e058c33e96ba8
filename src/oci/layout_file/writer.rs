//! A layout in a file, as storage to write to.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;

use crate::content::{
    Descriptor, Digest, ErrorKind, Fetch, Listing, ManifestName, Push, Reader, Referrers, Resolve,
    Source, StoreError, Stored, blocking,
};

use super::super::error::Error;
use super::super::layout::{Declared, Index, Manifests, ReadLayout};
use super::super::manifest::fetch_manifest;
use super::file::LayoutFile;
use super::session::Session;

/// Writes an OCI image layout to a file. What is stored becomes visible to others when [`finish`](Push::finish) has
/// written the file whole.
///
/// What the file has already stays in it, and is found through this value, as is what was stored through it. The first
/// change waits until no other process writes the file. A session that is dropped before it has finished leaves the file as
/// it was, and what was stored in a directory beside it. The next session takes it over, after it was verified.
pub(crate) struct LayoutFileWriter {
    path: PathBuf,
    keep: bool,
    state: Mutex<State>,
}

struct State {
    /// The file as it was when it was opened or when a session finished.
    file: Option<LayoutFile>,
    session: Option<Arc<Session>>,
}

impl LayoutFileWriter {
    /// Opens the layout in the file at `path`, or a new one if there is no file or an empty one. Nothing is written before
    /// the first change.
    pub(crate) async fn open_or_create(path: &Path) -> Result<Self, Error> {
        match Self::open(path).await {
            Err(Error::NotALayout { .. }) if is_vacant(path) => Ok(Self::new(path, true, None)),
            opened => opened,
        }
    }

    /// Opens the layout in the file at `path`.
    pub(crate) async fn open(path: &Path) -> Result<Self, Error> {
        let at = path.to_owned();
        let file = blocking(move || LayoutFile::open(&at)).await?;
        Ok(Self::new(path, true, Some(file)))
    }

    /// Makes a new layout, which replaces the file at `path`.
    pub(crate) fn replace(path: &Path) -> Self {
        Self::new(path, false, None)
    }

    fn new(path: &Path, keep: bool, file: Option<LayoutFile>) -> Self {
        let session = None;
        Self {
            path: path.to_owned(),
            keep,
            state: Mutex::new(State { file, session }),
        }
    }

    /// Returns the session. The first call begins it.
    async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut state = self.state.lock().await;
        if let Some(session) = &state.session {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::begin(&self.path, self.keep).await?);
        state.session = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Returns the parts of the layout that are there now.
    async fn parts(&self) -> Parts {
        let state = self.state.lock().await;
        match &state.session {
            Some(session) => Parts {
                newer: Some(Arc::clone(session)),
                older: session.before.clone(),
            },
            None => Parts {
                newer: None,
                older: state.file.clone(),
            },
        }
    }

    fn missing(&self, what: impl Into<String>) -> Error {
        Error::NotInLayout {
            directory: self.path.clone(),
            what: what.into(),
        }
    }
}

/// What was stored since, and the file as it was before.
struct Parts {
    newer: Option<Arc<Session>>,
    older: Option<LayoutFile>,
}

#[async_trait]
impl Fetch for LayoutFileWriter {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let parts = self.parts().await;
        if let Some(session) = &parts.newer
            && session
                .staged
                .blob_size(&descriptor.digest)
                .await?
                .is_some()
        {
            return session.staged.open(descriptor, range).await;
        }
        match &parts.older {
            Some(older) => older.open(descriptor, range).await,
            None => Err(self
                .missing(format!("content {}", descriptor.digest))
                .into()),
        }
    }
}

#[async_trait]
impl Resolve for LayoutFileWriter {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        let Parts { newer, older } = self.parts().await;
        let found = match &newer {
            // It has the index of both.
            Some(session) => session.staged.resolve(name).await,
            None => Err(self.missing(name.to_string()).into()),
        };
        match (found, &older) {
            (Err(error), Some(older)) if error.kind() == ErrorKind::NotFound => match name {
                ManifestName::Tag(tag) if newer.is_some() => Err(self.missing(tag).into()),
                _ => older.resolve(name).await,
            },
            (found, _) => found,
        }
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        fetch_manifest(self, name).await
    }

    fn as_referrers(&self) -> Option<&dyn Referrers> {
        Some(self)
    }
}

#[async_trait]
impl Push for LayoutFileWriter {
    /// Stores a blob. A blob that is already there is read, and is replaced when it is damaged.
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        self.session().await?.put_blob(descriptor, source).await
    }

    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        let session = self.session().await?;
        session.put_manifest(descriptor, bytes, tag).await
    }

    async fn stored_manifest(
        &self,
        name: &ManifestName,
    ) -> Result<(Descriptor, Bytes), StoreError> {
        self.fetch_manifest(name).await
    }

    async fn tagged(&self, tag: &str) -> Result<Option<Descriptor>, StoreError> {
        let parts = self.parts().await;
        let found = match (&parts.newer, &parts.older) {
            (Some(session), _) => return session.staged.tagged(tag).await,
            (None, Some(older)) => older.list().find_name(tag),
            (None, None) => Ok(None),
        };
        match found {
            // The push gives the name to one manifest.
            Err(Error::Ambiguous { .. }) => Ok(None),
            found => Ok(found?),
        }
    }

    fn as_listing(&self) -> Option<&dyn Listing> {
        Some(self)
    }

    /// Writes the file, unless nothing has changed. Another change begins another session.
    async fn finish(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let Some(session) = &state.session else {
            return Ok(());
        };
        session.finish().await?;
        state.session = None;
        let path = self.path.clone();
        state.file = Some(blocking(move || LayoutFile::open(&path)).await?);
        Ok(())
    }
}

#[async_trait]
impl Listing for LayoutFileWriter {
    async fn list(&self, manifest: &Descriptor) -> Result<(), StoreError> {
        let session = self.session().await?;
        if !session.has(manifest) {
            return Err(self.missing(format!("manifest {}", manifest.digest)).into());
        }
        Ok(session.staged.add_to_index(manifest).await?)
    }

    async fn untag(&self, tag: &str) -> Result<(), StoreError> {
        self.session().await?.staged.untag(tag).await
    }
}

#[async_trait]
impl ReadLayout for LayoutFileWriter {
    async fn manifests(&self) -> Arc<dyn Manifests> {
        match self.parts().await {
            Parts {
                newer: Some(session),
                ..
            } => session,
            Parts {
                older: Some(file), ..
            } => Arc::new(file),
            _ => Arc::new(Vacant {
                path: self.path.clone(),
                declared: Declared::default(),
            }),
        }
    }
}

/// A layout that is not written yet.
struct Vacant {
    path: PathBuf,
    declared: Declared,
}

impl Manifests for Vacant {
    fn read_index(&self) -> Result<Index, Error> {
        Index::parse(&self.path, format!("file {}", self.path.display()), None)
    }

    fn has_blob(&self, _digest: &Digest) -> bool {
        false
    }

    fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        Err(Error::NotInLayout {
            directory: self.path.clone(),
            what: format!("content {digest}"),
        })
    }

    fn place(&self) -> &Path {
        &self.path
    }

    fn known(&self) -> &Declared {
        &self.declared
    }
}

/// Whether a layout can be created at `path`: there is no file, or an empty one.
fn is_vacant(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => metadata.is_file() && metadata.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
#[path = "tests/writer.rs"]
mod tests;
