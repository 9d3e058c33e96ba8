//! Verifying one bundle.

use std::time::{Duration, SystemTime};

use sigstore_trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::types::bundle::InclusionProof;
use sigstore_verify::types::{
    Artifact, ArtifactDigest, Bundle, DigestBytes, HashAlgorithm, MediaType, SignatureContent,
    Statement,
};
use sigstore_verify::{
    CertificateError, Error, TimestampError, TransparencyLogError, VerificationPolicy, Verifier,
};

use crate::content::{Algorithm, Digest, read_file_bounded, unix_seconds, unix_time};

use super::error::{BundleError, TrustedRootError};
use super::identity::{LogEntry, SigstoreIdentity};
use super::provider;
use super::root::SigstoreRoot;

/// The largest trusted root that is read, in bytes.
const ROOT_LIMIT: u64 = 4 * 1024 * 1024;
/// How far the clock of this machine may be behind the clock of a timestamp authority.
const LEEWAY: Duration = Duration::from_secs(60);
/// The prefix of the types of in-toto statements that are accepted.
const STATEMENT: &str = "https://in-toto.io/Statement/v";

/// Verifies bundles against the trusted root of one instance.
pub(in crate::client) struct BundleVerifier {
    root: SigstoreRoot,
    verifier: Verifier,
    policy: VerificationPolicy,
    /// Whether the instance has a transparency log.
    has_log: bool,
    /// When the newest key in the trusted root became valid.
    newest: Option<SystemTime>,
}

impl BundleVerifier {
    /// Reads the trusted root of an instance. Blocks.
    pub(in crate::client) fn new(root: &SigstoreRoot) -> Result<Self, TrustedRootError> {
        provider::install();
        let malformed = |source: Box<dyn std::error::Error + Send + Sync>| {
            let root = root.clone();
            TrustedRootError::Malformed { root, source }
        };
        let trusted = match root {
            SigstoreRoot::Public => SigstoreInstance::PublicGood.embedded_trusted_root(),
            SigstoreRoot::GitHub => SigstoreInstance::GitHub.embedded_trusted_root(),
            SigstoreRoot::File(path) => {
                let text = read_file_bounded(path, ROOT_LIMIT).map_err(|source| {
                    let path = path.clone();
                    TrustedRootError::File { path, source }
                })?;
                let text = String::from_utf8(text).map_err(|error| malformed(error.into()))?;
                TrustedRoot::from_json(&text)
            }
        };
        // The text of the error has that of its cause already.
        let trusted = trusted.map_err(|error| malformed(error.to_string().into()))?;
        if trusted.certificate_authorities.is_empty() {
            return Err(malformed("it has no certificate authority".into()));
        }
        let verifier = Verifier::new(&trusted).map_err(|error| malformed(error.into()))?;
        // The caller compares the identity: the rules of a trust policy have wildcards, which the library does not know.
        let mut policy = VerificationPolicy::any_identity();
        let has_log = !trusted.tlogs.is_empty();
        if !has_log {
            if trusted.timestamp_authorities.is_empty() {
                let reason = "it has neither a transparency log nor a timestamp authority";
                return Err(malformed(reason.into()));
            }
            policy = policy.skip_tlog_unsafe();
        }
        if trusted.ctlogs.is_empty() {
            policy = policy.skip_sct();
        }
        Ok(Self {
            root: root.clone(),
            newest: newest(&trusted),
            verifier,
            policy,
            has_log,
        })
    }

    /// Verifies a bundle about `manifest`, and returns the identity that signed it. Takes about a millisecond.
    pub(in crate::client) fn verify(
        &self,
        bytes: &[u8],
        manifest: &Digest,
    ) -> Result<SigstoreIdentity, BundleError> {
        self.verify_at(bytes, manifest, SystemTime::now())
    }

    fn verify_at(
        &self,
        bytes: &[u8],
        manifest: &Digest,
        now: SystemTime,
    ) -> Result<SigstoreIdentity, BundleError> {
        let bundle: Bundle =
            serde_json::from_slice(bytes).map_err(|error| BundleError::Malformed(error.into()))?;
        let statement = statement(&bundle)?;
        let proof = self.inclusion_proof(&bundle)?;
        let verified = self
            .verifier
            .verify(artifact(manifest)?, &bundle, &self.policy)
            .map_err(|error| self.refusal(error, &bundle, manifest))?;
        let signed = verified.verified_timestamps().iter().min();
        let signed = signed.ok_or_else(|| BundleError::WrongTimestamp {
            root: self.root.clone(),
            newest: self.newest,
            source: "it has no verified timestamp".into(),
        })?;
        let signed = time(*signed);
        if signed > now + LEEWAY {
            return Err(BundleError::InFuture { signed });
        }
        let (Some(subject), Some(issuer)) = (verified.identity(), verified.issuer()) else {
            let reason = "its certificate names no identity or no OpenID Connect issuer";
            return Err(BundleError::Unsupported(reason.to_owned()));
        };
        Ok(SigstoreIdentity {
            issuer: issuer.to_owned(),
            subject: subject.as_str().to_owned(),
            predicate: statement.predicate_type,
            signed,
            log: proof,
            bundle: Digest::of(bytes),
            root: self.root.clone(),
        })
    }

    /// Returns the first entry in the transparency log, or `None` if the instance has no log. Checks that each entry has an
    /// inclusion proof, because the library verifies a proof only if there is one.
    fn inclusion_proof(&self, bundle: &Bundle) -> Result<Option<LogEntry>, BundleError> {
        if !self.has_log {
            return Ok(None);
        }
        let mut first = None;
        for entry in &bundle.verification_material.tlog_entries {
            let proof = entry.inclusion_proof.as_ref();
            let checkpoint =
                proof.and_then(|InclusionProof { checkpoint, .. }| checkpoint.checkpoint());
            let checkpoint = checkpoint.ok_or(BundleError::NoInclusionProof)?;
            first.get_or_insert_with(|| LogEntry {
                log: checkpoint.origin().to_owned(),
                index: entry.log_index.get(),
            });
        }
        first.ok_or(BundleError::NoInclusionProof).map(Some)
    }

    /// Converts an error of the library.
    fn refusal(&self, error: Error, bundle: &Bundle, manifest: &Digest) -> BundleError {
        let (root, newest) = (self.root.clone(), self.newest);
        match error {
            Error::ArtifactMismatch(_) => BundleError::OtherSubject,
            Error::SignatureInvalid(_) => BundleError::WrongSignature(error.into()),
            Error::Certificate(CertificateError::Sct(_)) => {
                BundleError::UnloggedCertificate(error.into())
            }
            Error::Certificate(
                CertificateError::ChainInvalid(_)
                | CertificateError::NoValidAuthority { .. }
                | CertificateError::NotYetValid { .. }
                | CertificateError::Expired { .. },
            ) => self.wrong_validity(bundle, manifest).unwrap_or_else(|| {
                BundleError::UnknownAuthority {
                    root,
                    newest,
                    source: error.into(),
                }
            }),
            Error::TransparencyLog(
                TransparencyLogError::UnknownLog { .. } | TransparencyLogError::Checkpoint(_),
            ) => BundleError::UnknownLog {
                root,
                newest,
                source: error.into(),
            },
            Error::TransparencyLog(
                TransparencyLogError::InclusionProof(_) | TransparencyLogError::InclusionPromise(_),
            ) => BundleError::WrongInclusionProof(error.into()),
            Error::TransparencyLog(TransparencyLogError::EntryMismatch(_)) => {
                BundleError::OtherLogEntry(error.into())
            }
            Error::Timestamp(
                TimestampError::Invalid(_)
                | TimestampError::OutsideAuthorityValidity { .. }
                | TimestampError::NoVerifiedTimestamp(_),
            )
            | Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) => {
                BundleError::WrongTimestamp {
                    root,
                    newest,
                    source: error.into(),
                }
            }
            Error::UnsupportedBundle(reason) => BundleError::Unsupported(reason),
            error => BundleError::Malformed(error.into()),
        }
    }
}

impl BundleVerifier {
    /// Returns an error if the only fault of a bundle is that it was signed before or after the validity of its certificate.
    /// The library itself reports such a certificate in the same way as one of an unknown authority.
    fn wrong_validity(&self, bundle: &Bundle, manifest: &Digest) -> Option<BundleError> {
        let artifact = artifact(manifest).ok()?;
        let lenient = self.policy.clone().skip_certificate_chain();
        let verified = self.verifier.verify(artifact, bundle, &lenient).ok()?;
        let certificate = verified.certificate()?;
        let times = || verified.verified_timestamps().iter().copied();
        let too_late = times().find(|time| *time > certificate.not_after);
        let too_early = times().find(|time| *time < certificate.not_before);
        match (too_late, too_early) {
            (Some(signed), _) => Some(BundleError::Expired {
                signed: time(signed),
            }),
            (None, Some(signed)) => Some(BundleError::NotYetValid {
                signed: time(signed),
            }),
            (None, None) => None,
        }
    }
}

/// Returns the statement of a bundle. Its signature is not verified.
fn statement(bundle: &Bundle) -> Result<Statement, BundleError> {
    let unsupported = |reason: &str| BundleError::Unsupported(reason.to_owned());
    if bundle.media_type() != MediaType::Bundle0_3 {
        return Err(unsupported("it is not a bundle of version 0.3"));
    }
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(unsupported("it holds a signature without a statement"));
    };
    if bundle.signing_certificate().is_none() {
        return Err(unsupported("it was signed with a key, not by an identity"));
    }
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|error| BundleError::Malformed(error.into()))?;
    if !statement.type_.starts_with(STATEMENT) {
        return Err(unsupported("its statement is not one of in-toto"));
    }
    Ok(statement)
}

fn artifact(manifest: &Digest) -> Result<Artifact<'static>, BundleError> {
    let algorithm = match manifest.algorithm() {
        Algorithm::Sha256 => HashAlgorithm::Sha2256,
        Algorithm::Sha512 => HashAlgorithm::Sha2512,
    };
    let digest = DigestBytes::from_hex(manifest.hex())
        .and_then(|digest| ArtifactDigest::new(algorithm, digest));
    let digest = digest.map_err(|error| BundleError::Malformed(error.into()))?;
    Ok(Artifact::from_digest(digest))
}

/// Returns when the newest key in a trusted root became valid.
fn newest(root: &TrustedRoot) -> Option<SystemTime> {
    let logs = root.tlogs.iter().map(|log| log.public_key.valid_for);
    let authorities = root
        .certificate_authorities
        .iter()
        .map(|authority| authority.valid_for);
    let timestamps = root
        .timestamp_authorities
        .iter()
        .map(|authority| authority.valid_for);
    let starts = logs.chain(authorities).chain(timestamps).flatten();
    starts.map(|window| time(window.start)).max()
}

/// Converts a time of the library to whole seconds. A time before 1970 becomes the start of 1970.
fn time(time: impl Into<SystemTime>) -> SystemTime {
    unix_time(unix_seconds(time.into()))
}

#[cfg(test)]
#[path = "tests/verifier.rs"]
mod tests;
