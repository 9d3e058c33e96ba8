//! Whether parts of blobs can be downloaded.

use crate::content::Descriptor;
use crate::oci::Probe;

use super::finding::{Advice, Check, Finding};

pub(super) async fn ranges(registry: &Probe, blob: Option<&Descriptor>) -> Finding {
    let check = Check::Ranges;
    let Some(blob) = blob else {
        return Finding::skipped(check, "there is no blob to try").advice(Advice::NameTag);
    };
    match registry.serves_ranges(blob).await {
        Ok(true) => Finding::good(
            check,
            "parts of blobs can be downloaded: downloads continue after a break",
        ),
        Ok(false) => {
            Finding::limited(check, "parts of blobs cannot be downloaded").advice(Advice::FindProxy)
        }
        Err(error) => Finding::failed(check, error),
    }
}
