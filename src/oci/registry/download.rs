//! A blob on its way in, whole or in part, with as many requests as it takes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::HeaderValue;

use crate::content::{Descriptor, Hasher, whole};

use super::super::error::Error;
use super::blob_range::strong_etag;
use super::hosted::HostedRepository;
use super::mirrors::{Hosts, PassedOver};
use super::retry::Attempts;
use super::routes::Route;
use super::transport::{Call, failure};

/// A blob, or a part of one, on its way in.
pub(super) struct Download {
    /// The host that is asked now, and those to ask when it fails, the next one last.
    pub(super) host: HostedRepository,
    others: Vec<HostedRepository>,
    pub(super) content: Descriptor,
    /// The next byte to hand out, and the one behind the last.
    pub(super) position: u64,
    pub(super) end: u64,
    /// How many bytes are asked for in one request at most.
    pub(super) at_once: u64,
    /// Whether this is one piece of several: only an answer with just that is of use.
    pub(super) piece: bool,
    /// Whether only what the host says itself is of use, and not what it sends its readers elsewhere for.
    pub(super) first_hand: bool,
    attempts: Attempts,
    /// Whether the registry is believed to answer ranges as it should.
    pub(super) ranges: bool,
    /// What the registry calls this content, for `If-Range`.
    pub(super) etag: Option<HeaderValue>,
    /// The mirrors that gave some of it,
    mirrors: Vec<Arc<Route>>,
    /// and what became of others.
    passed_over: PassedOver,
    /// Finds out whether a blob that mirrors had a part in is what it should be. Who reads it finds out
    /// too, and asks again; then they are not to be asked.
    witness: Option<Hasher>,
}

/// What is left of an answer.
pub(super) struct Body {
    call: Call,
    response: Response,
    /// How many bytes come first that have been handed out already.
    skip: u64,
    /// The byte of the blob behind the last one that it holds.
    pub(super) end: u64,
}

impl Download {
    pub(super) fn new(content: &Descriptor, wanted: Range<u64>, hosts: Hosts) -> Self {
        let Hosts { mirrors, last, .. } = hosts;
        let mut others: Vec<_> = mirrors.into_iter().chain([last.clone()]).rev().collect();
        let host = others.pop().unwrap_or(last);
        let whole = wanted.start == 0 && wanted.end == content.size;
        let witness = whole && !others.is_empty();
        let witness = witness.then(|| Hasher::new(content.digest.algorithm()));
        Self {
            attempts: host.transport.attempts(),
            host,
            others,
            content: content.clone(),
            position: wanted.start,
            end: wanted.end,
            at_once: u64::MAX,
            piece: false,
            first_hand: false,
            ranges: true,
            etag: None,
            mirrors: Vec::new(),
            passed_over: hosts.passed_over,
            witness,
        }
    }

    /// What is missing, with as few requests as it takes.
    pub(super) fn in_one(self) -> Self {
        Self {
            at_once: u64::MAX,
            ..self
        }
    }

    /// The bytes `range` of the same blob, from the same host, as a download of its own.
    pub(super) fn piece(&self, range: Range<u64>) -> Self {
        Self {
            host: self.host.clone(),
            others: self.others.clone(),
            content: self.content.clone(),
            position: range.start,
            end: range.end,
            at_once: u64::MAX,
            piece: true,
            first_hand: self.first_hand,
            attempts: self.host.transport.attempts(),
            ranges: true,
            etag: self.etag.clone(),
            mirrors: Vec::new(),
            passed_over: self.passed_over.clone(),
            witness: None,
        }
    }

    /// Takes note of the next bytes, which came as `piece`. Who failed it is not asked again.
    pub(super) fn take(&mut self, bytes: &Bytes, piece: Self) {
        for mirror in &piece.mirrors {
            self.note_mirror(mirror);
        }
        if piece.others.len() < self.others.len() {
            (self.host, self.others) = (piece.host, piece.others);
            (self.etag, self.attempts) = (piece.etag, piece.attempts);
            self.passed_over = piece.passed_over;
        }
        self.account(bytes);
    }

    /// After a failed attempt: returns when there is to be another one, at the next host or, after a
    /// wait, at the last.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        let Some(next) = self.others.pop() else {
            let failed = self.attempts.failed(error).await;
            return failed.map_err(|error| self.passed_over.told_with(error));
        };
        self.host.route.failed(&error);
        self.passed_over
            .note(self.host.route.name(), &whole(&error));
        self.attempts = next.transport.attempts();
        self.attempts.moved_to(self.position);
        self.host = next;
        (self.ranges, self.etag) = (true, None);
        Ok(())
    }

    /// Takes note of what has come from the current host.
    fn count(&mut self, chunk: &Bytes) {
        if !self.others.is_empty() {
            let route = Arc::clone(&self.host.route);
            self.note_mirror(&route);
        }
        self.account(chunk);
    }

    fn note_mirror(&mut self, route: &Arc<Route>) {
        let mut known = self.mirrors.iter();
        if !known.any(|known| Arc::ptr_eq(known, route)) {
            self.mirrors.push(Arc::clone(route));
        }
    }

    fn account(&mut self, chunk: &Bytes) {
        self.position += chunk.len() as u64;
        self.attempts.moved_to(self.position);
        if let Some(witness) = &mut self.witness {
            witness.update(chunk);
        }
        if self.position >= self.end
            && let Some(witness) = self.witness.take()
            && witness.finish() != self.content.digest
        {
            for mirror in &self.mirrors {
                mirror.lied(&format!("blob {}", self.content.digest));
            }
        }
    }

    /// Asks for what is missing, at the registry's own address, until there is an answer with it.
    pub(super) async fn connect(&mut self) -> Result<Body, Error> {
        loop {
            let call = self.call()?;
            let limit = self.attempts.stall_timeout();
            let asked = self.ask(&call, limit);
            let asked = match self.others.is_empty() {
                true => asked.await,
                false => self.host.route.while_waiting(asked).await,
            };
            match asked {
                Ok((response, held)) => {
                    if self.etag.is_none() {
                        self.etag = strong_etag(response.headers());
                    }
                    return Ok(Body {
                        call,
                        response,
                        skip: self.position - held.start,
                        end: held.end,
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
    pub(super) async fn next(&mut self, mut body: Body) -> Result<Option<(Bytes, Body)>, Error> {
        loop {
            if self.position >= self.end && !self.shows_excess() {
                return Ok(None);
            }
            let limit = self.attempts.stall_timeout();
            let call = &body.call;
            let chunk = call.within(limit, async {
                let chunk = body.response.chunk().await;
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
        self.end == self.content.size && self.others.is_empty() && !self.piece
    }

    /// Whether what was handed out already may come again, to be skipped. It may not for a part in the
    /// middle: who wants two of 300 MB does not want to wait for all of them.
    pub(super) fn may_skip(&self) -> bool {
        self.end == self.content.size && !self.piece
    }
}

/// The bytes in `range`, as far as there are some.
pub(super) fn part(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let position = |offset: u64| {
        usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len())
    };
    bytes.slice(position(range.start)..position(range.end))
}
