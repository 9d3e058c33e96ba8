//! Warnings about content that manifests name, and that is not where they are copied from.

use std::fmt::Display;

use crate::client::LeftOut;
use crate::content::first_few;

/// How much is told one by one.
const MOST: usize = 3;

/// Returns the warnings about what `source` does not hold. There is one warning for all if that is more than a few things:
/// manifests and lists can name anything.
pub(super) fn warnings(left_out: &[LeftOut], source: impl Display) -> Vec<String> {
    if left_out.len() <= MOST {
        let each = left_out.iter().map(|left_out| warning(left_out, &source));
        return each.collect();
    }
    let digests: Vec<_> = left_out.iter().map(|left_out| &left_out.digest).collect();
    let (count, named) = (left_out.len(), first_few(&digests));
    vec![format!(
        "left out {count} manifests and blobs that {source} does not hold: {named}"
    )]
}

fn warning(left_out: &LeftOut, source: &impl Display) -> String {
    let LeftOut {
        digest,
        media_type,
        urls,
    } = left_out;
    match urls.first() {
        Some(url) => format!(
            "left out the foreign layer {digest} ({media_type}): {source} does not hold it, and its \
             manifest says that it is at {url}"
        ),
        None => format!("left out {digest} ({media_type}): {source} does not hold it"),
    }
}
