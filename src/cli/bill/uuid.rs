//! The identifier of a document.

use serde_json::Value;

use crate::content::Digest;

/// Returns a UUID that is made from the digest of a document, as version 8 of RFC 9562 allows.
pub(super) fn uuid(document: &Value) -> String {
    let digest = Digest::of(document.to_string().as_bytes());
    let hex: String = digest.hex().chars().take(32).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // The two bits of the variant are 10 (RFC 9562).
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

#[cfg(test)]
#[path = "tests/uuid.rs"]
mod tests;
