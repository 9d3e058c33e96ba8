//! A layout as storage.

use std::io;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::content::{
    Content, Descriptor, Digest, Fetch, ManifestName, Push, Reader, Referrer, Referrers, Resolve,
    Source, StoreError, Stored, blocking, open_regular,
};

use super::super::error::Error;
use super::super::manifest::read_manifest;
use super::super::one_line::one_line;
use super::super::reference::is_layout_name;
use super::super::referrers::Declaration;
use super::blobs::BUFFER;
use super::directory::Layout;
use super::index::{self, Index};

#[async_trait]
impl Fetch for Layout {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        let path = self.blob(&descriptor.digest);
        let what = || format!("content {}", descriptor.digest);
        let range = range.unwrap_or(0..descriptor.size);
        if range.start > range.end || range.end > descriptor.size {
            let Range { start, end } = range;
            return Err(Error::RangeOutside {
                what: what(),
                start,
                end,
                size: descriptor.size,
            }
            .into());
        }
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
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(BUFFER);
        let sought = file.seek(io::SeekFrom::Start(range.start)).await;
        sought.map_err(Error::file(&path))?;
        Ok(Box::new(file.take(range.end - range.start)))
    }
}

#[async_trait]
impl Resolve for Layout {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        let directory = self.directory.clone();
        let index = blocking(move || Index::read(&directory)).await?;
        match name {
            ManifestName::Digest(digest) => Ok(match index.find_digest(digest)? {
                Some(descriptor) => descriptor,
                None => self.resolve_blob(digest).await?,
            }),
            ManifestName::Tag(tag) => {
                let missing =
                    || self.missing(format!("tag `{}`: {}", one_line(tag), index.known_names()));
                Ok(index.find_name(tag)?.ok_or_else(missing)?)
            }
        }
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        let descriptor = self.resolve(name).await?;
        let bytes = read_manifest(&descriptor, &Content::new(self, &descriptor)).await?;
        Ok((descriptor, bytes))
    }

    fn as_referrers(&self) -> Option<&dyn Referrers> {
        Some(self)
    }
}

#[async_trait]
impl Referrers for Layout {
    /// Returns the referrers on the list of the layout, and those that its index lists themselves, as ORAS writes them.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, StoreError> {
        let (layout, subject) = (self.clone(), subject.clone());
        let mut referrers = blocking(move || layout.read_referrers(&subject)).await?;
        referrers.retain(|referrer| {
            artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
        });
        Ok(referrers)
    }

    async fn tags_at_once(&self) -> Result<Option<Vec<String>>, StoreError> {
        Ok(Some(self.tags().await?))
    }
}

#[async_trait]
impl Push for Layout {
    /// Stores a blob. A blob that is already there is read, and is replaced when it is damaged.
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
            blocking(move || layout.list_referrer(&subject, &referrer)).await?;
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
            // The push gives the name to one manifest.
            Err(Error::Ambiguous { .. }) => Ok(None),
            found => Ok(found?),
        }
    }
}

impl Layout {
    /// Returns the only manifest of the layout, whatever its name. What belongs to another manifest does not count.
    pub(crate) async fn only(&self) -> Result<Descriptor, Error> {
        let layout = self.clone();
        blocking(move || {
            let index = Index::read(&layout.directory)?;
            index.only(|digest| Ok(layout.declared(digest)?.is_some()))
        })
        .await
    }

    /// Lists the manifest, which the layout must hold, in the index under the name `tag`. The name is removed
    /// from the manifest that had it.
    pub(crate) async fn tag(&self, manifest: &Descriptor, tag: &str) -> Result<(), Error> {
        if self.blob_size(&manifest.digest).await? != Some(manifest.size) {
            return Err(self.missing(format!("manifest {}", manifest.digest)));
        }
        if !is_layout_name(tag) {
            return Err(Error::name(tag));
        }
        let (directory, manifest, tag) = (self.directory.clone(), manifest.clone(), tag.to_owned());
        blocking(move || index::update(&directory, &manifest, &tag)).await
    }

    /// Lists the manifest, which the layout must hold, in the index without a name, unless it is listed.
    pub(crate) async fn list(&self, manifest: &Descriptor) -> Result<(), Error> {
        if self.blob_size(&manifest.digest).await? != Some(manifest.size) {
            return Err(self.missing(format!("manifest {}", manifest.digest)));
        }
        let (directory, manifest) = (self.directory.clone(), manifest.clone());
        blocking(move || index::add(&directory, &manifest)).await
    }

    /// Takes the name `tag` from the manifest that it stands for. The manifest stays, and is found by its digest.
    pub(crate) async fn untag(&self, tag: &str) -> Result<(), Error> {
        let (directory, tag) = (self.directory.clone(), tag.to_owned());
        blocking(move || index::untag(&directory, &tag)).await
    }
}
