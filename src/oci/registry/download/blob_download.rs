//! The download of a blob or of a part of it, with several requests and endpoints if necessary.

use std::ops::Range;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::HeaderValue;

use crate::content::{Descriptor, Hasher, with_causes};
use crate::oci::error::Error;

use super::super::endpoints::{Candidates, Endpoint, SkippedMirrors};
use super::super::http::{Attempts, Request, refuse_encoding};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::range::{RangeRequest, strong_etag};

pub(super) struct Download {
    /// The repository at the endpoint that is asked now.
    repository: RepositoryEndpoint,
    /// The endpoints to ask when the current one fails. The next one is the last in the list.
    others: Vec<Endpoint>,
    /// The endpoint that is asked after the mirrors: the registry itself, unless it lacks the capability.
    last: Endpoint,
    /// The mirrors that are asked once more when `last` is out of reach, in reverse order. A piece has none.
    again: Vec<Endpoint>,
    /// Why `last` is out of reach. With this error, the mirrors are asked for the second time.
    out_of_reach: Option<Error>,
    /// The error of a mirror that ignored a byte range.
    range_ignored: Option<Error>,
    content: Descriptor,
    /// The position of the next byte to hand out.
    pub(super) position: u64,
    /// The position after the last byte to hand out.
    pub(super) end: u64,
    /// The most bytes that are asked for in one request.
    pub(super) request_size: u64,
    /// Whether this is one of several pieces. For a piece, only an answer with exactly its bytes is accepted.
    is_piece: bool,
    /// Whether only answers of the endpoint itself are accepted, so that a redirect is an error.
    pub(super) first_hand: bool,
    attempts: Attempts,
    /// Whether the endpoint is assumed to serve ranges.
    ranges: bool,
    /// The `ETag` of earlier answers, for `If-Range`.
    etag: Option<HeaderValue>,
    /// The mirrors that sent a part of the content.
    used_mirrors: Vec<Endpoint>,
    skipped: SkippedMirrors,
    /// Hashes a whole blob when mirrors may send a part of it. The reader of the blob verifies it too, and opens it
    /// again if it is wrong. By then, the mirrors that sent wrong content must be known.
    mirror_check: Option<Hasher>,
}

/// The rest of an answer.
pub(super) struct Body {
    request: Request,
    response: Response,
    /// How many bytes to skip, because they have been handed out already.
    skip: u64,
    /// The position in the blob after the last byte of the answer.
    pub(super) end: u64,
}

impl Download {
    /// Prepares the download of the bytes `range` of `content`. `at` returns the repository at an endpoint.
    pub(super) fn new(
        content: &Descriptor,
        range: Range<u64>,
        candidates: Candidates,
        at: impl Fn(Endpoint) -> RepositoryEndpoint,
    ) -> Self {
        let Candidates {
            mirrors,
            last,
            paused,
            skipped,
        } = candidates;
        let has_mirrors = !mirrors.is_empty() || !paused.is_empty();
        let again = mirrors.iter().cloned().chain(paused).rev();
        // A mirror that sent wrong bytes for this content would send them again.
        let again: Vec<_> = again
            .filter(|mirror| !mirror.availability().was_corrupt(&content.digest))
            .collect();
        let mut others: Vec<_> = mirrors.into_iter().chain([last.clone()]).rev().collect();
        let endpoint = others.pop().unwrap_or_else(|| last.clone());
        let is_whole = range.start == 0 && range.end == content.size;
        Self {
            attempts: endpoint.attempts(),
            repository: at(endpoint),
            others,
            last,
            again,
            out_of_reach: None,
            range_ignored: None,
            content: content.clone(),
            position: range.start,
            end: range.end,
            request_size: u64::MAX,
            is_piece: false,
            first_hand: false,
            ranges: true,
            etag: None,
            used_mirrors: Vec::new(),
            skipped,
            mirror_check: (is_whole && has_mirrors)
                .then(|| Hasher::new(content.digest.algorithm())),
        }
    }

    /// Returns a separate download of the bytes `range` of the blob, from the same endpoints.
    pub(super) fn piece(&self, range: Range<u64>) -> Self {
        Self {
            repository: self.repository.clone(),
            others: self.others.clone(),
            last: self.last.clone(),
            again: Vec::new(),
            out_of_reach: None,
            range_ignored: None,
            content: self.content.clone(),
            position: range.start,
            end: range.end,
            request_size: u64::MAX,
            is_piece: true,
            first_hand: self.first_hand,
            attempts: self.repository.endpoint.attempts(),
            ranges: true,
            etag: self.etag.clone(),
            used_mirrors: Vec::new(),
            skipped: self.skipped.clone(),
            mirror_check: None,
        }
    }

    /// Records `bytes`, the next bytes, which the download `piece` has received. Endpoints that failed for the piece
    /// are not asked again.
    pub(super) fn add_piece(&mut self, bytes: &Bytes, piece: Self) {
        for mirror in &piece.used_mirrors {
            self.add_mirror(mirror);
        }
        if piece.others.len() < self.others.len() {
            (self.repository, self.others) = (piece.repository, piece.others);
            (self.etag, self.attempts) = (piece.etag, piece.attempts);
            self.skipped = piece.skipped;
        }
        self.advance(bytes);
    }

    /// Requests the missing bytes, repeatedly if necessary, and returns an answer with them.
    pub(super) async fn connect(&mut self) -> Result<Body, Error> {
        loop {
            let range_request = self.range_request();
            let request = range_request.request()?;
            let sent = range_request.send(&request, self.attempts.stall_timeout());
            let sent = if self.asks_last() {
                sent.await
            } else {
                self.repository.endpoint.availability().watch(sent).await
            };
            match sent {
                Ok((response, held)) => {
                    if self.etag.is_none() {
                        self.etag = strong_etag(response.headers());
                    }
                    return Ok(Body {
                        request,
                        response,
                        skip: self.position - held.start,
                        end: held.end,
                    });
                }
                // Ask for the whole blob. That takes longer, but the answer cannot have a wrong range.
                Err(Error::RangeIgnored { .. }) if self.ranges && self.may_skip() => {
                    self.ranges = false;
                }
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// Returns the next bytes and the rest of the answer, or `None` when the download is complete.
    pub(super) async fn next(&mut self, mut body: Body) -> Result<Option<(Bytes, Body)>, Error> {
        loop {
            if self.position >= self.end && !self.hands_out_excess() {
                return Ok(None);
            }
            let limit = self.attempts.stall_timeout();
            let request = &body.request;
            let chunk = request.within(limit, async {
                let chunk = body.response.chunk().await;
                chunk.map_err(|error| request.failed(error))
            });
            let error = match chunk.await {
                Ok(Some(chunk)) => {
                    let skipped = body.skip.min(chunk.len() as u64);
                    body.skip -= skipped;
                    let mut chunk = slice(&chunk, skipped..u64::MAX);
                    let is_longer = self.position + chunk.len() as u64 > body.end;
                    if is_longer && let Err(error) = refuse_encoding(&body.response, &body.request)
                    {
                        self.failed(error).await?;
                        body = self.connect().await?;
                        continue;
                    }
                    if !self.hands_out_excess() {
                        chunk = slice(&chunk, 0..self.end.saturating_sub(self.position));
                    }
                    if !self.asks_last() {
                        self.add_mirror(&self.repository.endpoint.clone());
                    }
                    self.advance(&chunk);
                    if !chunk.is_empty() {
                        return Ok(Some((chunk, body)));
                    }
                    continue;
                }
                // All bytes have arrived, so an error at the end of the connection does not matter.
                _ if self.position >= self.end => return Ok(None),
                Ok(None) => match refuse_encoding(&body.response, &body.request) {
                    Ok(()) => {
                        let actual = format!("{} bytes", self.position);
                        Error::wrong_size(body.request.what, self.content.size, actual)
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.failed(error).await?;
            body = self.connect().await?;
        }
    }

    fn range_request(&self) -> RangeRequest<'_> {
        let end = self.position.saturating_add(self.request_size);
        RangeRequest {
            repository: &self.repository,
            content: &self.content,
            range: self.position..self.end.min(end),
            use_range: self.ranges,
            etag: self.etag.as_ref(),
            accept_whole: self.end == self.content.size && (self.position == 0 || self.may_skip()),
            first_hand: self.first_hand,
        }
    }

    /// Prepares the download of the rest over one connection after a piece failed. Fails with the error to report when
    /// there is no further attempt.
    pub(super) fn continue_alone(&mut self, error: Error) -> Result<(), Error> {
        self.request_size = u64::MAX;
        match error {
            // The current endpoint can send the rest without a range.
            Error::RangeIgnored { .. } => Ok(()),
            error if self.out_of_reach.is_some() => self.leave_mirror(error),
            error => self.ask_mirrors_again(error),
        }
    }

    /// Prepares the next attempt after a failed one: at the next endpoint, or at the last endpoint after a wait. Fails
    /// with the error to report when there is no further attempt.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        if !self.asks_last() {
            return self.leave_mirror(error);
        }
        match self.attempts.failed(error).await {
            Ok(()) => Ok(()),
            Err(error) => self.ask_mirrors_again(error),
        }
    }

    /// Continues at the endpoint after the current one, which is a mirror that failed.
    fn leave_mirror(&mut self, error: Error) -> Result<(), Error> {
        let mirror = &self.repository.endpoint;
        mirror.failed(&error);
        let ignores_ranges = matches!(error, Error::RangeIgnored { .. });
        if ignores_ranges {
            // The second answer would be the same.
            self.again.retain(|other| !other.is_same(mirror));
        }
        if self.out_of_reach.is_none() {
            self.skipped.add(mirror.name(), &with_causes(&error));
        }
        match (self.others.pop(), self.out_of_reach.take()) {
            (Some(next), out_of_reach) => {
                self.out_of_reach = out_of_reach;
                if ignores_ranges {
                    self.range_ignored = Some(error);
                }
                self.move_to(next);
                Ok(())
            }
            (None, Some(out_of_reach)) if !ignores_ranges => Err(self.reported(out_of_reach)),
            (None, _) => Err(error),
        }
    }

    /// Continues at the mirrors, because the last endpoint failed with `error`. Fails if that endpoint is not out of
    /// reach.
    fn ask_mirrors_again(&mut self, error: Error) -> Result<(), Error> {
        if error.is_out_of_reach() {
            self.others = std::mem::take(&mut self.again);
            if let Some(mirror) = self.others.pop() {
                tracing::info!("{}; asking the mirrors again", with_causes(&error));
                self.out_of_reach = Some(error);
                self.move_to(mirror);
                return Ok(());
            }
        }
        Err(self.reported(error))
    }

    /// Returns the error to report when the last endpoint failed with `error` and no mirror is left.
    fn reported(&mut self, error: Error) -> Error {
        match (self.range_ignored.take(), error) {
            // The caller can ask for the whole blob instead.
            (Some(ignored), error) if error.is_out_of_reach() => ignored,
            // The error of a piece has the errors of the mirrors already.
            (_, error @ Error::NoMirrorEither { .. }) => error,
            (_, error) => self.skipped.attach_to(error),
        }
    }

    fn move_to(&mut self, endpoint: Endpoint) {
        self.attempts = endpoint.attempts();
        self.attempts.moved_to(self.position);
        self.repository.endpoint = endpoint;
        (self.ranges, self.etag) = (true, None);
    }

    /// Returns whether the current endpoint is the last one, and not a mirror.
    fn asks_last(&self) -> bool {
        self.repository.endpoint.is_same(&self.last)
    }

    fn add_mirror(&mut self, mirror: &Endpoint) {
        if !self.used_mirrors.iter().any(|known| known.is_same(mirror)) {
            self.used_mirrors.push(mirror.clone());
        }
    }

    fn advance(&mut self, chunk: &Bytes) {
        self.position += chunk.len() as u64;
        self.attempts.moved_to(self.position);
        if let Some(hasher) = &mut self.mirror_check {
            hasher.update(chunk);
        }
        if self.position < self.end || self.is_piece {
            return;
        }
        let check = self.mirror_check.take();
        let is_corrupt = check.is_some_and(|hasher| hasher.finish() != self.content.digest);
        for mirror in &self.used_mirrors {
            if is_corrupt {
                mirror.report_corrupt(&self.content.digest);
            } else {
                mirror.answered();
            }
        }
        if !is_corrupt {
            let endpoint = &self.repository.endpoint;
            if self.out_of_reach.is_some() {
                endpoint.availability().recovered();
            }
            endpoint.answered();
        }
    }

    /// Returns whether bytes after the end of the blob are handed out, so that the verifying reader finds them. They
    /// are cut off the answers of mirrors, for which only the digest counts.
    fn hands_out_excess(&self) -> bool {
        self.end == self.content.size && self.asks_last() && !self.is_piece
    }

    /// Returns whether an answer may begin with bytes that were handed out already. They are skipped. This is not
    /// allowed for a part in the middle of a blob, because a few bytes are not worth a download of the whole blob.
    fn may_skip(&self) -> bool {
        self.end == self.content.size && !self.is_piece
    }
}

/// Returns the part of `bytes` in `range`, which may end before the range ends.
pub(crate) fn slice(bytes: &Bytes, range: Range<u64>) -> Bytes {
    let position = |offset| usize::try_from(offset).map_or(bytes.len(), |at| at.min(bytes.len()));
    bytes.slice(position(range.start)..position(range.end))
}
