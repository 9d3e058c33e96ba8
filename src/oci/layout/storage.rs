//! A layout as storage.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{
    Descriptor, Fetch, Listing, ManifestName, Push, Reader, Referrers, Resolve, Source, StoreError,
    Stored, blocking, file_reader, open_regular,
};

use super::super::error::Error;
use super::super::manifest::fetch_manifest;
use super::super::reference::is_layout_name;
use super::super::referrers::Declaration;
use super::changes;
use super::directory::Layout;
use super::index::Index;
use super::manifests::Manifests;
use super::reading::ReadLayout;
use super::referrers::list_referrers;

#[async_trait]
impl Fetch for Layout {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let path = self.blob(&descriptor.digest);
        let what = || format!("content {}", descriptor.digest);
        let range = range_in(descriptor, range)?;
        let target = path.clone();
        let opened = blocking(move || open_regular(&target).map_err(Error::file(&target)));
        let (file, size) = match opened.await {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(self.missing(what()).into());
            }
            other => other?,
        };
        if size != descriptor.size {
            let actual = format!("{size} bytes");
            return Err(Error::wrong_size(what(), descriptor.size, actual).into());
        }
        Ok(file_reader(file, range))
    }
}

#[async_trait]
impl Resolve for Layout {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        let directory = self.directory.clone();
        let index = blocking(move || Index::read(&directory)).await?;
        Ok(match (index.find(name)?, name) {
            (Some(descriptor), _) => descriptor,
            (None, ManifestName::Digest(digest)) => self.resolve_blob(digest).await?,
            (None, ManifestName::Tag(tag)) => return Err(self.missing(tag).into()),
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
impl Push for Layout {
    /// Stores a blob. A blob that exists already is read, and is replaced if it is damaged.
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        if self.holds(descriptor).await? {
            return Ok(Stored::existing(descriptor.size));
        }
        self.write_blob(descriptor, source).await?;
        Ok(Stored::sent(descriptor.size))
    }

    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        self.put_blob(descriptor, bytes).await?;
        if let Some(tag) = tag {
            self.tag(descriptor, tag).await?;
        }
        if let Some(declared) = Declaration::of(bytes) {
            let (layout, subject) = (self.clone(), declared.subject.clone());
            let referrer = declared.describe(descriptor.clone());
            blocking(move || list_referrers(&layout, &layout, &subject, [&referrer])).await?;
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
        let (directory, tag) = (self.directory.clone(), tag.to_owned());
        let found = blocking(move || Index::read(&directory)?.find_name(&tag)).await;
        match found {
            // Several manifests have this name. The push will leave it to only one of them.
            Err(Error::Ambiguous { .. }) => Ok(None),
            found => Ok(found?),
        }
    }

    fn as_listing(&self) -> Option<&dyn Listing> {
        Some(self)
    }
}

#[async_trait]
impl Listing for Layout {
    async fn list(&self, manifest: &Descriptor) -> Result<(), StoreError> {
        self.require(manifest).await?;
        Ok(self.add_to_index(manifest).await?)
    }

    async fn untag(&self, tag: &str) -> Result<(), StoreError> {
        let (directory, tag) = (self.directory.clone(), tag.to_owned());
        Ok(blocking(move || changes::untag(&directory, &tag)).await?)
    }
}

#[async_trait]
impl ReadLayout for Layout {
    async fn manifests(&self) -> Arc<dyn Manifests> {
        Arc::new(self.clone())
    }
}

impl Layout {
    /// Lists the manifest, which the layout must hold, in the index under the name `tag`. The name is removed
    /// from the manifest that had it.
    pub(crate) async fn tag(&self, manifest: &Descriptor, tag: &str) -> Result<(), Error> {
        self.require(manifest).await?;
        self.set_tag(manifest, tag).await
    }

    async fn require(&self, manifest: &Descriptor) -> Result<(), Error> {
        if self.blob_size(&manifest.digest).await? != Some(manifest.size) {
            return Err(self.missing(format!("manifest {}", manifest.digest)));
        }
        Ok(())
    }

    /// Lists the manifest in the index under the name `tag`, as [`tag`](Self::tag) does, but does not check that the layout
    /// holds the manifest.
    pub(in crate::oci) async fn set_tag(
        &self,
        manifest: &Descriptor,
        tag: &str,
    ) -> Result<(), Error> {
        if !is_layout_name(tag) {
            return Err(Error::name(tag));
        }
        let (directory, manifest, tag) = (self.directory.clone(), manifest.clone(), tag.to_owned());
        blocking(move || changes::update(&directory, &manifest, &tag)).await
    }

    /// Lists the manifest in the index without a name, unless it is listed. Does not check that the layout holds the
    /// manifest.
    pub(in crate::oci) async fn add_to_index(&self, manifest: &Descriptor) -> Result<(), Error> {
        let (directory, manifest) = (self.directory.clone(), manifest.clone());
        blocking(move || changes::add(&directory, &manifest)).await
    }
}

/// Returns `range` of the content of `descriptor`, or all of it.
pub(in crate::oci) fn range_in(
    descriptor: &Descriptor,
    range: Option<Range<u64>>,
) -> Result<Range<u64>, Error> {
    let size = descriptor.size;
    let Range { start, end } = range.unwrap_or(0..size);
    if start > end || end > size {
        let what = format!("content {}", descriptor.digest);
        return Err(Error::RangeOutside {
            what,
            start,
            end,
            size,
        });
    }
    Ok(start..end)
}
