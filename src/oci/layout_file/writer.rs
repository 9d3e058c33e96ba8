//! A layout in a file, as a storage for writing.

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

/// Writes an OCI image layout to a file. Other processes see the new content after [`finish`](Push::finish) has replaced the
/// file.
///
/// The content of the old file is kept, and reading from this value finds both old and new content. The first change waits
/// until no other process writes the file. If the session is dropped before it has finished, the file stays unchanged, and
/// the new content stays in a directory beside it. The next session verifies this content and uses it.
pub(crate) struct LayoutFileWriter {
    path: PathBuf,
    keep: bool,
    state: Mutex<State>,
}

struct State {
    /// The file that was opened, or that the last session has written.
    file: Option<LayoutFile>,
    session: Option<Arc<Session>>,
}

impl LayoutFileWriter {
    /// Opens the layout in the file at `path`. If the file is empty or does not exist, starts a new layout. Nothing is
    /// written before the first change.
    pub(crate) async fn open_or_create(path: &Path) -> Result<Self, Error> {
        // If another process creates the file after this, the session finds it.
        let at = path.to_owned();
        let file = blocking(move || match is_vacant(&at) {
            true => Ok(None),
            false => LayoutFile::open(&at).map(Some),
        });
        Ok(Self::new(path, true, file.await?))
    }

    /// Opens the layout in the file at `path`.
    pub(crate) async fn open(path: &Path) -> Result<Self, Error> {
        let at = path.to_owned();
        let file = blocking(move || LayoutFile::open(&at)).await?;
        Ok(Self::new(path, true, Some(file)))
    }

    /// Starts a new layout, which will replace the file at `path`.
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

    /// Returns the session, and starts it if there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut state = self.state.lock().await;
        if let Some(session) = &state.session {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::begin(&self.path, self.keep).await?);
        state.session = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Returns the parts that the layout consists of now.
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

/// The session with the new content, and the file with the old content.
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
            // The staged index lists both old and new manifests.
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
    /// Stores a blob. A blob that exists already is read, and is replaced if it is damaged.
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
            // Several manifests have this name. The push will leave it to only one of them.
            Err(Error::Ambiguous { .. }) => Ok(None),
            found => Ok(found?),
        }
    }

    fn as_listing(&self) -> Option<&dyn Listing> {
        Some(self)
    }

    /// Writes the file, unless nothing has changed. A later change starts a new session.
    async fn finish(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let Some(session) = &state.session else {
            return Ok(());
        };
        let has_file = session.finish().await?;
        let (path, ended) = (self.path.clone(), state.session.take());
        let opened = blocking(move || {
            // The end of the session removes its directory, which may have large blobs.
            drop(ended);
            has_file.then(|| LayoutFile::open(&path)).transpose()
        });
        state.file = opened.await?;
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

/// A layout whose file does not exist yet.
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

/// Whether a layout can be created at `path`: the file does not exist, or it is empty.
fn is_vacant(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => metadata.is_file() && metadata.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
#[path = "tests/writer.rs"]
mod tests;
