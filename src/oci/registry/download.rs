//! Getting blobs, whole or in part, with as many requests as it takes.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use reqwest::Response;
use reqwest::header::HeaderValue;
use tokio_util::io::StreamReader;

use crate::content::{Descriptor, Hasher, Reader, StoreError};

use super::super::error::Error;
use super::super::hosts::Capability;
use super::super::media_type;
use super::Repository;
use super::blob_range::strong_etag;
use super::hosted::HostedRepository;
use super::retry::Attempts;
use super::routes::Route;
use super::transport::{Call, failure};

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
        let (mirrors, last) = self.readable(Capability::Pull).await?;
        let mut download = Download::new(content, wanted, mirrors, last);
        let body = download.connect().await?;
        let chunks = stream::try_unfold((download, body), async |(mut download, body)| {
            let next = download.next(body).await.map_err(into_io)?;
            Ok::<_, io::Error>(next.map(|(chunk, body)| (chunk, (download, body))))
        });
        Ok(Box::new(StreamReader::new(Box::pin(chunks))))
    }
}

fn part(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let position = |offset: u64| {
        usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len())
    };
    bytes.slice(position(range.start)..position(range.end))
}

fn into_io(error: Error) -> io::Error {
    io::Error::other(StoreError::from(error))
}

/// A blob, or a part of one, on its way in.
pub(super) struct Download {
    /// The host that is asked now, and those to ask when it fails, the next one last.
    pub(super) host: HostedRepository,
    others: Vec<HostedRepository>,
    pub(super) content: Descriptor,
    /// The next byte to hand out, and the one behind the last.
    pub(super) position: u64,
    pub(super) end: u64,
    attempts: Attempts,
    /// Whether the registry is believed to answer ranges as it should.
    pub(super) ranges: bool,
    /// What the registry calls this content, for `If-Range`.
    pub(super) etag: Option<HeaderValue>,
    witness: Option<Witness>,
}

/// Finds out whether a blob that mirrors had a part in is what it should be. Who reads it finds out too,
/// and asks again; then they are not to be asked.
struct Witness {
    hasher: Hasher,
    mirrors: Vec<Arc<Route>>,
}

/// What is left of an answer.
struct Body {
    call: Call,
    response: Response,
    /// How many bytes come first that have been handed out already.
    skip: u64,
}

impl Download {
    fn new(
        content: &Descriptor,
        wanted: Range<u64>,
        mirrors: Vec<HostedRepository>,
        last: HostedRepository,
    ) -> Self {
        let mut others: Vec<_> = mirrors.into_iter().chain([last.clone()]).rev().collect();
        let host = others.pop().unwrap_or(last);
        let whole = wanted.start == 0 && wanted.end == content.size;
        let witness = (whole && !others.is_empty()).then(|| Witness {
            hasher: Hasher::new(content.digest.algorithm()),
            mirrors: Vec::new(),
        });
        Self {
            attempts: host.transport.attempts(),
            host,
            others,
            content: content.clone(),
            position: wanted.start,
            end: wanted.end,
            ranges: true,
            etag: None,
            witness,
        }
    }

    /// After a failed attempt: returns when there is to be another one, at the next host or, after a
    /// wait, at the last.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        let Some(next) = self.others.pop() else {
            return self.attempts.failed(error).await;
        };
        self.host.route.failed(&error);
        self.attempts = next.transport.attempts();
        self.attempts.moved_to(self.position);
        self.host = next;
        (self.ranges, self.etag) = (true, None);
        Ok(())
    }

    /// Takes note of what has come from the current host.
    fn count(&mut self, chunk: &Bytes) {
        self.position += chunk.len() as u64;
        self.attempts.moved_to(self.position);
        if let Some(witness) = &mut self.witness {
            witness.hasher.update(chunk);
            let route = &self.host.route;
            let known = witness.mirrors.iter();
            if !self.others.is_empty() && !{ known }.any(|known| Arc::ptr_eq(known, route)) {
                witness.mirrors.push(Arc::clone(route));
            }
        }
        if self.position >= self.end
            && let Some(witness) = self.witness.take()
            && witness.hasher.finish() != self.content.digest
        {
            for mirror in witness.mirrors {
                mirror.lied(&format!("blob {}", self.content.digest));
            }
        }
    }

    /// Asks for what is missing, at the registry's own address, until there is an answer with it.
    async fn connect(&mut self) -> Result<Body, Error> {
        loop {
            let call = self.call()?;
            let limit = self.attempts.stall_timeout();
            let asked = self.attempts.within(&call, limit, self.ask(&call)).await;
            match asked {
                Ok((response, skip)) => {
                    if self.etag.is_none() {
                        self.etag = strong_etag(response.headers());
                    }
                    return Ok(Body {
                        call,
                        response,
                        skip,
                    });
                }
                // From its start then: that costs time, where a wrong answer would cost the content.
                Err(Error::RangeIgnored { .. }) if self.ranges && self.may_skip() => {
                    self.ranges = false;
                }
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// The next bytes. `None` when everything was there.
    async fn next(&mut self, mut body: Body) -> Result<Option<(Bytes, Body)>, Error> {
        loop {
            if self.position >= self.end && !self.shows_excess() {
                return Ok(None);
            }
            let limit = self.attempts.stall_timeout();
            let chunk = self.attempts.within(&body.call, limit, async {
                let chunk = body.response.chunk().await;
                let call = &body.call;
                chunk.map_err(|error| failure(error, &call.registry, &call.what, &call.url))
            });
            let error = match chunk.await {
                Ok(Some(chunk)) => {
                    let skipped = body.skip.min(chunk.len() as u64);
                    body.skip -= skipped;
                    let chunk = part(&chunk, &(skipped..chunk.len() as u64));
                    let chunk = self.up_to_the_end(chunk);
                    self.count(&chunk);
                    if !chunk.is_empty() {
                        return Ok(Some((chunk, body)));
                    }
                    continue;
                }
                // Everything is there; how the connection ends does not matter.
                _ if self.position >= self.end => return Ok(None),
                Ok(None) => self.ended_early(&body.call),
                Err(error) => error,
            };
            self.failed(error).await?;
            body = self.connect().await?;
        }
    }

    fn up_to_the_end(&self, chunk: Bytes) -> Bytes {
        match self.shows_excess() {
            true => chunk,
            false => part(&chunk, &(0..self.end.saturating_sub(self.position))),
        }
    }

    /// Whether what follows the end of the blob is handed out too, for the verifying reader to see. Of a
    /// mirror only the digest counts.
    fn shows_excess(&self) -> bool {
        self.end == self.content.size && self.others.is_empty()
    }

    /// Whether what was handed out already may come again, to be skipped. It may not for a part in the
    /// middle: who wants two of 300 MB does not want to wait for all of them.
    pub(super) fn may_skip(&self) -> bool {
        self.end == self.content.size
    }
}
