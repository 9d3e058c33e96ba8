//! A layout as storage.

use std::io;
use std::ops::Range;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::content::{
    Descriptor, Digest, Reader, Source, Store, StoreError, blocking, open_regular,
};

use super::super::error::Error;
use super::super::one_line::one_line;
use super::super::reference::is_tag;
use super::blobs::BUFFER;
use super::directory::Layout;
use super::index::{self, Index};

#[async_trait]
impl Store for Layout {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        let size = self.blob_size(&descriptor.digest).await?;
        Ok(size == Some(descriptor.size))
    }

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
        let opened = blocking(move || {
            open_regular(&target).map_err(|source| Error::File {
                path: target,
                source,
            })
        })
        .await;
        let (file, size) = match opened {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(self.missing(what()).into());
            }
            other => other?,
        };
        if size != descriptor.size {
            let announced = format!("{} bytes", descriptor.size);
            let actual = format!("{size} bytes");
            return Err(Error::Contradiction {
                what: what(),
                announced,
                actual,
            }
            .into());
        }
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(BUFFER);
        let start = io::SeekFrom::Start(range.start);
        file.seek(start)
            .await
            .map_err(|source| Error::File { path, source })?;
        Ok(Box::new(file.take(range.end - range.start)))
    }

    /// What is there already is read, and written anew when it is damaged.
    async fn put(&self, descriptor: &Descriptor, source: &dyn Source) -> Result<(), StoreError> {
        if !self.holds(descriptor).await? {
            self.write_blob(descriptor, source).await?;
        }
        Ok(())
    }

    async fn resolve(&self, name: &str) -> Result<Descriptor, StoreError> {
        let directory = self.directory.clone();
        let index = blocking(move || Index::read(&directory)).await?;
        if let Ok(digest) = name.parse::<Digest>() {
            return Ok(match index.find_digest(&digest)? {
                Some(descriptor) => descriptor,
                None => self.resolve_blob(&digest).await?,
            });
        }
        let found = index.find_tag(name)?;
        Ok(found.ok_or_else(|| self.missing(format!("tag `{}`", one_line(name))))?)
    }

    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError> {
        if !self.exists(descriptor).await? {
            return Err(self
                .missing(format!("manifest {}", descriptor.digest))
                .into());
        }
        let tag = match name.parse::<Digest>() {
            Ok(digest) if digest == descriptor.digest => None,
            Err(_) if is_tag(name) => Some(name.to_owned()),
            _ => {
                return Err(Error::Name {
                    name: name.to_owned(),
                }
                .into());
            }
        };
        let directory = self.directory.clone();
        let descriptor = descriptor.clone();
        Ok(blocking(move || index::update(&directory, &descriptor, tag.as_deref())).await?)
    }
}
