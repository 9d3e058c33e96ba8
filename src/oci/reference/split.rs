//! Splitting the digest and the tag off a reference.

use crate::content::Digest;

use super::error::ParseReferenceError;
use super::grammar::is_tag;

/// Splits `@DIGEST` off `rest`, a part of the reference `text`.
pub(super) fn split_digest<'a>(
    text: &str,
    rest: &'a str,
) -> Result<(&'a str, Option<Digest>), ParseReferenceError> {
    let Some((rest, digest)) = rest.split_once('@') else {
        return Ok((rest, None));
    };
    let digest = digest
        .parse()
        .map_err(|source| ParseReferenceError::Digest {
            reference: text.to_owned(),
            source,
        })?;
    Ok((rest, Some(digest)))
}

/// Splits `:TAG` off `rest`, a part of the reference `text`.
pub(super) fn split_tag<'a>(
    text: &str,
    rest: &'a str,
) -> Result<(&'a str, Option<String>), ParseReferenceError> {
    let Some((rest, tag)) = rest.rsplit_once(':') else {
        return Ok((rest, None));
    };
    if !is_tag(tag) {
        return Err(ParseReferenceError::tag(text, tag));
    }
    Ok((rest, Some(tag.to_owned())))
}
