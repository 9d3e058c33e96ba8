//! The predicate of a statement.

use std::time::SystemTime;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::content::{rfc3339, unix_seconds};

use super::error::SigningError;
use super::provenance;

/// The largest predicate that is signed, in bytes. The Base64 in a bundle makes it a third larger, and the bundle must
/// stay below its own limit.
const LIMIT: u64 = 2 * 1024 * 1024;
/// The largest predicate that is signed after `custom` has wrapped it, in bytes: the escape sequences can double it. In
/// Base64, with a certificate and proofs, it is less than the 4 MiB of the largest bundle that is read.
const WRAPPED_LIMIT: u64 = 3_000_000;
/// The type of cosign's predicate `custom`, which wraps any text.
const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
/// The type of the predicate of SLSA, version 1.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// The predicate type of the statement that `cosign sign` makes. Its predicate is empty.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The names that cosign uses for predicate types, and their URIs.
const NAMES: [(&str, &str); 10] = [
    ("custom", CUSTOM),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", PROVENANCE),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
];

/// The content of a statement about a manifest: a type, and a JSON object.
///
/// ```
/// use wasmcloud_par::signing::Predicate;
///
/// # fn main() -> Result<(), wasmcloud_par::signing::SigningError> {
/// let scan = Predicate::new("vuln", br#"{"scanner": {"uri": "https://scanner.example"}}"#)?;
/// assert_eq!(scan.predicate_type(), "https://cosign.sigstore.dev/attestation/vuln/v1");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Predicate {
    predicate_type: String,
    /// A JSON object, as the caller wrote it.
    content: Box<RawValue>,
}

impl Predicate {
    /// The largest predicate that is signed, in bytes.
    pub const LIMIT: u64 = LIMIT;

    /// Returns a predicate with a JSON object. `predicate_type` is a URI, or one of the names that cosign uses:
    /// `slsaprovenance1`, `spdxjson`, `cyclonedx`, `vuln`, `openvex` and others. With `custom`, the predicate wraps the
    /// object together with the current time, as cosign does.
    ///
    /// # Errors
    ///
    /// [`SigningError::PredicateType`], [`SigningError::Predicate`], [`SigningError::PredicateTooLarge`],
    /// [`SigningError::WrappedTooLarge`].
    pub fn new(predicate_type: &str, content: &[u8]) -> Result<Self, SigningError> {
        Self::at(predicate_type, content, SystemTime::now())
    }

    fn at(predicate_type: &str, content: &[u8], now: SystemTime) -> Result<Self, SigningError> {
        let uri = uri(predicate_type)?;
        if content.len() as u64 > LIMIT {
            return Err(SigningError::PredicateTooLarge { limit: LIMIT });
        }
        let malformed = |reason: String| SigningError::Predicate(reason);
        let text = std::str::from_utf8(content)
            .map_err(|_| malformed("it is not text in UTF-8".to_owned()))?;
        // The parser also refuses JSON that is nested deeper than other clients can read.
        let parsed: Result<Map<String, Value>, _> = serde_json::from_str(text);
        parsed.map_err(|error| malformed(format!("it is not a JSON object: {error}")))?;
        let content = if uri == CUSTOM {
            let timestamp = rfc3339(unix_seconds(now));
            let wrapped = json!({ "Data": text, "Timestamp": timestamp }).to_string();
            let size = wrapped.len() as u64;
            if size > WRAPPED_LIMIT {
                let limit = WRAPPED_LIMIT;
                return Err(SigningError::WrappedTooLarge { size, limit });
            }
            wrapped
        } else {
            text.trim().to_owned()
        };
        Self::of_text(uri, content)
    }

    /// Returns the predicate that `cosign sign` uses. It is empty: the statement says only that the manifest was signed.
    pub(crate) fn signature() -> Result<Self, SigningError> {
        Self::of_text(SIGNATURE, "{}".to_owned())
    }

    /// Returns the SLSA provenance of a CI job: the workflow that built the manifest, and the commit. The job is one of
    /// GitHub Actions or GitLab, which set environment variables about it. `variable` returns the value of a variable.
    ///
    /// Only variables that hold no secrets are read.
    ///
    /// # Errors
    ///
    /// [`SigningError::NotInCi`], [`SigningError::CiVariable`].
    pub fn provenance(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SigningError> {
        let content = provenance::of_ci(&variable)?;
        Self::of_text(PROVENANCE, content.to_string())
    }

    fn of_text(predicate_type: &str, content: String) -> Result<Self, SigningError> {
        let content = RawValue::from_string(content)
            .map_err(|error| SigningError::Predicate(error.to_string()))?;
        Ok(Self {
            predicate_type: predicate_type.to_owned(),
            content,
        })
    }

    /// Returns the URI of the type.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// Returns the JSON object.
    pub(super) fn content(&self) -> &RawValue {
        &self.content
    }
}

/// Returns the URI of a predicate type. `name` is a known name, or a URI already.
fn uri(name: &str) -> Result<&str, SigningError> {
    let mut names = NAMES.iter();
    if let Some((_, uri)) = names.find(|(known, _)| *known == name) {
        return Ok(uri);
    }
    // A URI has a scheme and something behind it (RFC 3986, section 3).
    let is_uri = name.split_once(':').is_some_and(|(scheme, rest)| {
        let mut letters = scheme.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
            && !rest.is_empty()
    });
    let is_plain = name.chars().all(|letter| letter.is_ascii_graphic());
    if is_uri && is_plain {
        Ok(name)
    } else {
        Err(SigningError::PredicateType(name.escape_debug().to_string()))
    }
}

#[cfg(test)]
#[path = "tests/predicate.rs"]
mod tests;
