//! Getting blobs, whole or in part.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::TryStreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use crate::content::{Descriptor, Reader};

use super::super::error::{Error, one_line};
use super::super::media_type;
use super::transport::{Call, Scope, failure};
use super::{Announced, Repository};

impl Repository {
    /// Opens content, or a byte range of it. Manifests are small, and come verified; blobs are
    /// verified by who reads them.
    pub(super) async fn download(
        &self,
        content: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, Error> {
        let whole = 0..content.size;
        let wanted = range.clone().unwrap_or(whole.clone());
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
        if wanted.is_empty() && !whole.is_empty() {
            // Some registries answer a range that starts at the end with a broken body.
            return Ok(Box::new(io::Cursor::new(Bytes::new())));
        }
        let mut call = self.blob_call(Method::GET, content, Scope::PULL)?;
        let partial = range.filter(|_| wanted != whole);
        if let Some(range) = &partial {
            let value = format!("bytes={}-{}", range.start, range.end - 1);
            if let Ok(value) = HeaderValue::from_str(&value) {
                call.headers.insert(RANGE, value);
            }
        }
        let response = self.transport.send(&call).await?;
        match &partial {
            Some(range) => check_partial(&response, range, content, &call)?,
            None => check_whole(&response, content, &call)?,
        }
        Ok(body(
            response,
            call,
            wanted.end - wanted.start,
            partial.is_some(),
        ))
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

fn check_whole(response: &Response, content: &Descriptor, call: &Call) -> Result<(), Error> {
    let announced = Announced::from(response.headers());
    let size = announced.size.filter(|size| *size != content.size);
    if response.status() == StatusCode::OK && size.is_none() {
        return Ok(());
    }
    Err(Error::Contradiction {
        what: call.what.clone(),
        announced: format!("{} bytes", content.size),
        actual: match size {
            Some(size) => format!("{size} bytes"),
            None => format!("an answer with HTTP {}", response.status().as_u16()),
        },
    })
}

fn check_partial(
    response: &Response,
    range: &Range<u64>,
    content: &Descriptor,
    call: &Call,
) -> Result<(), Error> {
    let ignored = |reason: String| Error::RangeIgnored {
        what: call.what.clone(),
        registry: call.registry.clone(),
        reason,
    };
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Err(ignored(format!("HTTP {}", response.status().as_u16())));
    }
    let headers = response.headers();
    let text = |headers: &HeaderMap, name| -> Option<String> {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(one_line)
    };
    let given = text(headers, CONTENT_RANGE).unwrap_or_default();
    let expected = format!("bytes {}-{}/", range.start, range.end - 1);
    let total = given.strip_prefix(&expected);
    if !total.is_some_and(|total| total == "*" || total == content.size.to_string()) {
        return Err(ignored(format!(
            "Content-Range is `{given}`, not `{expected}{}`",
            content.size
        )));
    }
    match text(headers, CONTENT_LENGTH) {
        Some(length) if length != (range.end - range.start).to_string() => {
            Err(ignored(format!("Content-Length is {length}")))
        }
        _ => Ok(()),
    }
}

/// The body of an answer as a reader. What goes wrong on the way is an [`Error`] inside the
/// `io::Error`.
fn body(response: Response, call: Call, length: u64, partial: bool) -> Reader {
    let stream = response.bytes_stream().map_err(move |error| {
        let kind = match error.is_timeout() {
            true => io::ErrorKind::TimedOut,
            false => io::ErrorKind::ConnectionReset,
        };
        io::Error::new(kind, failure(error, &call.registry, &call.what, &call.url))
    });
    let reader = StreamReader::new(Box::pin(stream));
    if partial {
        return Box::new(reader.take(length));
    }
    // Not cut off: that a body goes on after its end is for the verifying reader to see.
    Box::new(reader)
}
