//! Whether parts of blobs can be downloaded.

use crate::content::Descriptor;
use crate::oci::Probe;

use super::finding::{Advice, Check, Finding, Verdict};

/// Finds out whether the registry serves byte ranges of `blob`.
pub(super) async fn check(registry: &Probe, blob: Option<&Descriptor>) -> Finding {
    let check = Check::Ranges;
    let Some(blob) = blob else {
        let finding = Finding::new(check, Verdict::Skipped, "there is no blob to try");
        return finding.advice(Advice::NameTag);
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
