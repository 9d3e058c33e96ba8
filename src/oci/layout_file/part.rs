//! A part of a session: content that the new file gets as a whole or not at all.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{
    Descriptor, Fetch, ManifestName, Push, Reader, Resolve, Source, StoreError, Stored,
};

use super::super::error::Error;
use super::super::manifest::fetch_manifest;
use super::super::reference::is_layout_name;
use super::session::{PartContent, Staged, declared};
use super::writer::LayoutFileWriter;

/// Writes a part of an OCI image layout in a file, such as one of several references with its attachments.
///
/// [`finish`](Push::finish) adds the part to the session of the writer, and the writer's own `finish` then writes the file. A
/// part that is dropped before it has finished is not in the file. Its blobs stay in the directory beside the file, where
/// the next session finds them.
pub(crate) struct LayoutFilePart {
    writer: Arc<LayoutFileWriter>,
    content: Mutex<PartContent>,
}

impl LayoutFilePart {
    /// Starts a part of the session of `writer`.
    pub(crate) fn new(writer: Arc<LayoutFileWriter>) -> Self {
        Self {
            writer,
            content: Mutex::default(),
        }
    }

    fn content(&self) -> MutexGuard<'_, PartContent> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the manifest to which this part moves `tag`.
    fn own(&self, tag: &str) -> Option<Descriptor> {
        self.content().tags.get(tag).cloned()
    }
}

#[async_trait]
impl Fetch for LayoutFilePart {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        self.writer.open(descriptor, range).await
    }
}

#[async_trait]
impl Resolve for LayoutFilePart {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        let own = match name {
            ManifestName::Tag(tag) => self.own(tag),
            ManifestName::Digest(_) => None,
        };
        match own {
            Some(own) => Ok(own),
            None => self.writer.resolve(name).await,
        }
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        fetch_manifest(self, name).await
    }
}

#[async_trait]
impl Push for LayoutFilePart {
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        let session = self.writer.session().await?;
        match session.stage_for_part(descriptor, source).await? {
            Staged::Before => Ok(Stored::existing(descriptor.size)),
            Staged::Here(stored) => {
                self.content().blobs.insert(descriptor.digest.clone());
                Ok(stored)
            }
        }
    }

    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        if let Some(tag) = tag.filter(|tag| !is_layout_name(tag)) {
            return Err(Error::name(tag).into());
        }
        self.put_blob(descriptor, bytes).await?;
        let mut content = self.content();
        content.referrers.extend(declared(descriptor, bytes));
        if let Some(tag) = tag {
            content.tags.insert(tag.to_owned(), descriptor.clone());
        }
        Ok(())
    }

    async fn stored_manifest(
        &self,
        name: &ManifestName,
    ) -> Result<(Descriptor, Bytes), StoreError> {
        self.fetch_manifest(name).await
    }

    async fn tagged(&self, tag: &str) -> Result<Option<Descriptor>, StoreError> {
        match self.own(tag) {
            Some(own) => Ok(Some(own)),
            None => self.writer.tagged(tag).await,
        }
    }

    /// Adds the part to the session. The writer's `finish` writes the file.
    async fn finish(&self) -> Result<(), StoreError> {
        let content = std::mem::take(&mut *self.content());
        Ok(self.writer.session().await?.add(content).await?)
    }
}

#[cfg(test)]
#[path = "tests/part.rs"]
mod tests;
