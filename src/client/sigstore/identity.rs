//! A verified identity.

use std::time::SystemTime;

use crate::content::Digest;

use super::root::SigstoreRoot;

/// An identity that vouches for a manifest. Everything in it was verified against a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigstoreIdentity {
    /// The URL of the OpenID Connect issuer that has authenticated the identity.
    pub issuer: String,
    /// The identity in the certificate, such as the URL of a workflow or a mail address.
    pub subject: String,
    /// The type of the predicate of the statement, such as `https://slsa.dev/provenance/v1`.
    pub predicate: String,
    /// When the statement was signed, according to a timestamp authority or the transparency log.
    pub signed: SystemTime,
    /// The entry in the transparency log. `None`: the instance has no log.
    pub log: Option<LogEntry>,
    /// The digest of the bundle.
    pub bundle: Digest,
    /// The trusted root that the bundle was verified against.
    pub root: SigstoreRoot,
}

/// An entry in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The name by which the log signs its checkpoints, such as `log2025-1.rekor.sigstore.dev`.
    pub log: String,
    /// The index of the entry in the log.
    pub index: u64,
}
