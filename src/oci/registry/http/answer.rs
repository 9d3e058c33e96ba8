//! Reading answers: bounded bodies, and the headers about content.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};

use crate::content::{Descriptor, Digest};
use crate::oci::media_type;

use super::encoding::encoding;

/// Reads the body of `response`, at most its first `limit` bytes.
pub(crate) async fn read_up_to(
    mut response: Response,
    limit: u64,
) -> Result<Bytes, reqwest::Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= limit {
            body.truncate(limit);
            break;
        }
    }
    Ok(body.freeze())
}

/// The content that the headers of an answer announce. A malformed header counts as absent.
#[derive(Default)]
pub(crate) struct Announced {
    /// `Content-Type`, if it is the type of a manifest.
    pub(crate) media_type: Option<&'static str>,
    /// `Docker-Content-Digest`.
    pub(crate) digest: Option<Digest>,
    /// `Content-Length`, if it is the size of the content itself.
    pub(crate) size: Option<u64>,
}

impl From<&HeaderMap> for Announced {
    fn from(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            media_type: media_type_of(headers).and_then(media_type::manifest),
            digest: text("docker-content-digest").and_then(|value| value.trim().parse().ok()),
            size: text(CONTENT_LENGTH.as_str())
                .filter(|_| encoding(headers).is_none())
                .and_then(|value| value.parse().ok()),
        }
    }
}

impl Announced {
    /// Returns whether no header contradicts `content`. A digest of another algorithm is ignored.
    pub(crate) fn fits(&self, content: &Descriptor) -> bool {
        let digest = self.digest.as_ref();
        self.size.is_none_or(|size| size == content.size)
            && digest.is_none_or(|digest| {
                digest.algorithm() != content.digest.algorithm() || *digest == content.digest
            })
    }
}

/// Returns whether an answer is a web page.
pub(crate) fn is_page(headers: &HeaderMap) -> bool {
    media_type_of(headers).is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/html"))
}

/// Returns the `Content-Type` of an answer, without parameters.
pub(crate) fn media_type_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}
