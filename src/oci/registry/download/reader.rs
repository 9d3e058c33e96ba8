//! Opening content for reading.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use tokio_util::io::StreamReader;

use crate::content::{Descriptor, Reader, StoreError};
use crate::oci::error::Error;

use super::super::endpoints::{Candidates, Endpoint};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::blob_download::{Body, Download};
use super::pieces::Pieces;

/// Opens the bytes `range` of a blob, over up to `connections` connections. The reader continues an interrupted
/// transfer itself. `at` returns the repository at an endpoint.
///
/// The reader does not verify the bytes. Its errors are [`StoreError`]s inside of `io::Error`s.
pub(crate) async fn open(
    content: &Descriptor,
    range: Range<u64>,
    candidates: Candidates,
    connections: Option<NonZeroUsize>,
    at: impl Fn(Endpoint) -> RepositoryEndpoint,
) -> Result<Reader, Error> {
    let connections = connections.map_or(1, NonZeroUsize::get);
    let length = range.end.saturating_sub(range.start);
    let mut download = Download::new(content, range, candidates, at);
    download.request_size = Pieces::size(length, connections);
    let body = download.connect().await?;
    Ok(into_reader(if body.end < download.end {
        Transfer::Several(Box::new(Pieces::new(download, body, connections)))
    } else {
        download.request_size = u64::MAX;
        Transfer::One(Box::new((download, body)))
    }))
}

/// Opens the bytes `range` of a blob, which the endpoint itself must send. A redirect is refused with
/// [`Error::SecondHand`], also by the reader later.
pub(crate) async fn open_first_hand(
    content: &Descriptor,
    range: Range<u64>,
    candidates: Candidates,
    at: impl Fn(Endpoint) -> RepositoryEndpoint,
) -> Result<Reader, Error> {
    let mut download = Download::new(content, range, candidates, at);
    download.first_hand = true;
    let body = download.connect().await?;
    Ok(into_reader(Transfer::One(Box::new((download, body)))))
}

/// A download over one connection or several.
enum Transfer {
    One(Box<(Download, Body)>),
    Several(Box<Pieces>),
}

impl Transfer {
    /// Returns the next bytes, or `None` when the download is complete.
    async fn next(self) -> Result<Option<(Bytes, Self)>, Error> {
        let (mut download, body) = match self {
            Self::One(one) => *one,
            Self::Several(mut pieces) => match pieces.next().await {
                Ok(bytes) => return Ok(bytes.map(|bytes| (bytes, Self::Several(pieces)))),
                Err(error) => {
                    let (mut download, reason) = (pieces.whole, error.to_string());
                    download.continue_alone(error)?;
                    tracing::info!("{reason}; downloading the rest over one connection");
                    let body = download.connect().await?;
                    (download, body)
                }
            },
        };
        let next = download.next(body).await?;
        Ok(next.map(|(bytes, body)| (bytes, Self::One(Box::new((download, body))))))
    }
}

fn into_reader(transfer: Transfer) -> Reader {
    let chunks = stream::try_unfold(transfer, async |transfer| {
        let next = transfer.next().await;
        next.map_err(|error| io::Error::other(StoreError::from(error)))
    });
    Box::new(StreamReader::new(Box::pin(chunks)))
}
