//! Content encodings: the compression of an answer for its transfer (RFC 9110, "Content-Encoding").
//!
//! The client asks for no encoding. Some proxies compress answers nevertheless, or pass on the encoding that their
//! storage names for a blob.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::oci::error::{Error, one_line};

use super::request::Request;

/// The most encodings of one body that are decoded.
const MOST: usize = 3;

/// Returns the encodings that an answer names, for messages. `None` when it names none.
pub(crate) fn encoding(headers: &HeaderMap) -> Option<String> {
    let named = encodings(headers).join(", ");
    (!named.is_empty()).then(|| one_line(&named))
}

/// Refuses the answer to `request` if it names an encoding. Call this only when the bytes are not those of the blob:
/// for a blob that is itself compressed, some storages name an encoding but send the right bytes.
pub(crate) fn refuse_encoding(response: &Response, request: &Request) -> Result<(), Error> {
    match encoding(response.headers()) {
        None => Ok(()),
        Some(encoding) => Err(request.encoded(encoding)),
    }
}

/// Decodes the body of an answer with these headers, at most its first `limit` bytes. A body that is already JSON is
/// not decoded, because some proxies decode the body but keep the header. The error is the encoding that cannot be
/// decoded.
pub(crate) fn decode(headers: &HeaderMap, body: Bytes, limit: u64) -> Result<Bytes, String> {
    let Some(named) = encoding(headers).filter(|_| !is_json(&body)) else {
        return Ok(body);
    };
    let encodings = encodings(headers);
    let mut encodings = encodings.iter().rev().take(MOST + 1).enumerate();
    let decoded = encodings.try_fold(body, |body, (done, encoding)| {
        if done == MOST {
            return None;
        }
        let decoded = match encoding.as_str() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), limit),
            // Some servers leave out the header of zlib.
            "deflate" => read(ZlibDecoder::new(&*body), limit)
                .or_else(|_| read(DeflateDecoder::new(&*body), limit)),
            _ => return None,
        };
        decoded.ok()
    });
    decoded.ok_or(named)
}

/// Returns the encodings in the order in which they were applied, in lower case.
fn encodings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).into_iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let values: Vec<_> = values.collect();
    let names = values.iter().flat_map(|value| value.split(','));
    let names = names.map(|name| name.trim().to_ascii_lowercase());
    // `aws-chunked` was the encoding of the request that stored the content.
    let is_none = |name: &str| matches!(name, "" | "identity" | "none" | "utf-8" | "aws-chunked");
    names.filter(|name| !is_none(name)).collect()
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn read(decoder: impl Read, limit: u64) -> io::Result<Bytes> {
    let mut decoded = Vec::new();
    decoder.take(limit).read_to_end(&mut decoded)?;
    Ok(decoded.into())
}

#[cfg(test)]
#[path = "tests/encoding.rs"]
mod tests;
