//! Opening blobs, whole or in part: over one connection or over several.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use tokio_util::io::StreamReader;

use crate::content::{Descriptor, Reader, StoreError};

use super::super::error::Error;
use super::super::hosts::Capability;
use super::super::media_type;
use super::Repository;
use super::download::{Body, Download, part};
use super::parallel_download::Pieces;

impl Repository {
    /// Opens content, or a byte range of it. Manifests are small, and come verified; blobs are
    /// verified by who reads them. A blob goes on by itself when its transfer breaks off; errors of
    /// that are [`StoreError`]s inside the reader's `io::Error`s.
    pub(super) async fn download(
        &self,
        content: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, Error> {
        let wanted = range.unwrap_or(0..content.size);
        if wanted.start > wanted.end || wanted.end > content.size {
            return Err(Error::RangeOutside {
                what: format!("content {}", content.digest),
                start: wanted.start,
                end: wanted.end,
                size: content.size,
            });
        }
        if media_type::is_manifest(&content.media_type) {
            let (_, bytes) = self.manifest(&content.digest.to_string()).await?;
            return Ok(Box::new(io::Cursor::new(part(&bytes, &wanted))));
        }
        if wanted.is_empty() && content.size > 0 {
            // Some registries answer a range that starts at the end with a broken body.
            return Ok(Box::new(io::Cursor::new(Bytes::new())));
        }
        let hosts = self.readable(Capability::Pull).await?;
        let connections = self.registries.options.connections;
        let connections = connections.map_or(1, NonZeroUsize::get);
        let mut download = Download::new(content, wanted, hosts);
        download.at_once = Pieces::size(download.end - download.position, connections);
        let body = download.connect().await?;
        let transfer = match body.end < download.end {
            true => Transfer::Several(Box::new(Pieces::new(download, body, connections))),
            false => Transfer::One(Box::new((download.in_one(), body))),
        };
        Ok(transfer.into_reader())
    }

    /// Opens a byte range of a blob that the registry serves itself. From a mirror, or from wherever it
    /// sends its readers, anything may come: that is of use to who reads all of the blob, and knows its digest.
    ///
    /// # Errors
    ///
    /// [`Error::SecondHand`], in the reader too; else as for any range.
    pub(crate) async fn open_first_hand(
        &self,
        content: &Descriptor,
        range: Range<u64>,
    ) -> Result<Reader, StoreError> {
        let (mirrors, _) = self.routes().await?.apart()?;
        if let Some((_, mirror)) = mirrors.first() {
            return Err(StoreError::from(Error::SecondHand {
                what: format!("blob {} of {}", content.digest, self.location()),
                registry: self.registry.clone(),
                from: format!("mirrors such as {}", mirror.name()),
            }));
        }
        let hosts = self.readable(Capability::Pull).await?;
        let mut download = Download::new(content, range, hosts);
        download.first_hand = true;
        let body = download.connect().await?;
        Ok(Transfer::One(Box::new((download, body))).into_reader())
    }
}

/// A blob on its way in, over one connection or over several.
enum Transfer {
    One(Box<(Download, Body)>),
    Several(Box<Pieces>),
}

impl Transfer {
    fn into_reader(self) -> Reader {
        let chunks = stream::try_unfold(self, async |transfer| {
            transfer.next().await.map_err(into_io)
        });
        Box::new(StreamReader::new(Box::pin(chunks)))
    }

    /// The next bytes. `None` when everything was there.
    async fn next(self) -> Result<Option<(Bytes, Self)>, Error> {
        let (mut download, body) = match self {
            Self::One(one) => *one,
            Self::Several(mut pieces) => match pieces.next().await {
                Ok(bytes) => return Ok(bytes.map(|bytes| (bytes, Self::Several(pieces)))),
                // One connection then: the registry has some other idea of ranges.
                Err(error @ Error::RangeIgnored { .. }) => {
                    tracing::info!("{error}; what is missing comes over one connection");
                    let mut download = pieces.into_rest().in_one();
                    let body = download.connect().await?;
                    (download, body)
                }
                Err(error) => return Err(error),
            },
        };
        let next = download.next(body).await?;
        Ok(next.map(|(bytes, body)| (bytes, Self::One(Box::new((download, body))))))
    }
}

fn into_io(error: Error) -> io::Error {
    io::Error::other(StoreError::from(error))
}
