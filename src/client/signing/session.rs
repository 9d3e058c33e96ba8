//! Signing statements with one instance of Sigstore.

use std::time::SystemTime;

use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::future::try_join;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sigstore_verify::bundle::BundleV03;
use sigstore_verify::crypto::sha256;
use sigstore_verify::rekor::{DsseEntry, HashedRekordV2, LogEntry, RekorV2KeyDetails};
use sigstore_verify::types::{
    DerCertificate, DsseEnvelope, DsseSignature, KeyId, KindVersion, PayloadBytes, SignatureBytes,
    TimestampToken, TransparencyLogEntry, pae,
};

use crate::client::sigstore::{BundleVerifier, SigstoreIdentity};
use crate::content::{Digest, blocking};
use crate::oci::{self, Registries, ServiceCall, Services};

use super::error::{CERTIFICATE, Cause, SigningError, TOKEN};
use super::instance::{Instance, LogVersion};
use super::key::OneTimeKey;
use super::predicate::Predicate;
use super::signer::SigstoreSigner;
use super::statement::Statement;
use super::token::IdentityToken;
use super::token_source::TokenSource;

/// The media type of statements in a bundle.
const STATEMENT: &str = "application/vnd.in-toto+json";
const JSON: &str = "application/json";
/// The largest answer that is read, in bytes. The answer of a log is the longest one, because it repeats the statement.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;

/// Signs statements with one instance of Sigstore: its services, its trusted root and an identity token.
pub(in crate::client) struct SigningSession {
    services: Services,
    instance: Instance,
    verifier: BundleVerifier,
    source: TokenSource,
    token: IdentityToken,
}

/// A verified bundle.
pub(in crate::client) struct SignedBundle {
    /// The bundle, in JSON.
    pub(in crate::client) bytes: Bytes,
    /// The identity in the certificate of the bundle.
    pub(in crate::client) identity: SigstoreIdentity,
}

/// The answer of a certificate authority (Fulcio, `SigningCertificate`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateAnswer {
    signed_certificate_embedded_sct: Option<Certificates>,
}

#[derive(Deserialize)]
struct Certificates {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// The answer of the token service of GitHub Actions.
#[derive(Deserialize)]
struct TokenAnswer {
    value: String,
}

impl SigningSession {
    /// Prepares to sign: reads the files of the instance, and gets a token. Nothing is signed yet.
    pub(in crate::client) async fn begin(
        registries: &Registries,
        signer: &SigstoreSigner,
    ) -> Result<Self, SigningError> {
        let (config, root) = (signer.signing_config.clone(), signer.root.clone());
        let read = blocking(move || {
            let instance = Instance::read(config.as_deref())?;
            Ok::<_, SigningError>((instance, BundleVerifier::new(&root)?))
        });
        let (instance, verifier) = read.await?;
        let services = registries.services();
        let token = new_token(&services, &signer.token).await?;
        Ok(Self {
            services,
            instance,
            verifier,
            source: signer.token.clone(),
            token,
        })
    }

    /// Signs a statement about `manifest`, and verifies the resulting bundle. `name` is the name of its repository.
    pub(in crate::client) async fn sign(
        &mut self,
        manifest: &Digest,
        name: Option<&str>,
        predicate: &Predicate,
    ) -> Result<SignedBundle, SigningError> {
        let statement = Statement::new(manifest, name, predicate).to_bytes()?;
        if self.token.ends_soon(SystemTime::now()) {
            self.token = new_token(&self.services, &self.source).await?;
        }
        let key = OneTimeKey::generate()?;
        let certificate = self.certificate(&key).await?;
        let signature = key.sign(&pae(STATEMENT, &statement))?;
        let envelope = DsseEnvelope::new(
            STATEMENT.to_owned(),
            PayloadBytes::new(statement),
            DsseSignature::new(signature.clone(), KeyId::default()),
        );
        let logged = self.log_entry(&envelope, &certificate);
        let (entry, timestamp) = try_join(logged, self.timestamp(&signature)).await?;
        let mut bundle = BundleV03::with_certificate_and_dsse(certificate, envelope);
        if let Some(entry) = entry {
            bundle = bundle.with_tlog_entry(entry);
        }
        if let Some(timestamp) = timestamp {
            bundle = bundle.with_rfc3161_timestamp(timestamp);
        }
        let bytes = serde_json::to_vec(&bundle.into_bundle());
        let bytes = bytes.map_err(|error| SigningError::Encode {
            what: "the bundle",
            source: error.into(),
        })?;
        // The services may return wrong answers. A bundle that other clients cannot verify must not be attached.
        let identity = self.verifier.verify(&bytes, manifest);
        let identity = identity.map_err(SigningError::NotVerified)?;
        Ok(SignedBundle {
            bytes: bytes.into(),
            identity,
        })
    }

    /// Gets a certificate for a key.
    async fn certificate(&self, key: &OneTimeKey) -> Result<DerCertificate, SigningError> {
        let proof = key.sign(self.token.identity().as_bytes())?;
        let body = json!({
            "credentials": { "oidcIdentityToken": self.token.expose() },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": key.public_key() },
                "proofOfPossession": BASE64.encode(proof.as_bytes()),
            },
        });
        let asked = Asked {
            what: CERTIFICATE,
            url: format!("{}/api/v2/signingCert", self.instance.authority),
        };
        let body = Some((JSON, body.to_string().into()));
        let answer = asked.send(&self.services, None, body, JSON).await;
        let answer = answer.map_err(|error| without_token(error, &self.token))?;
        let answer: CertificateAnswer = asked.parse(&answer)?;
        let chain = answer.signed_certificate_embedded_sct;
        let first = chain.and_then(|answer| answer.chain.certificates.into_iter().next());
        let first = first.ok_or_else(|| asked.malformed("it has none".into()))?;
        DerCertificate::from_pem(&first).map_err(|error| asked.malformed(error.into()))
    }

    /// Adds a signature to the transparency log, if the instance has one. Returns its entry.
    async fn log_entry(
        &self,
        envelope: &DsseEnvelope,
        certificate: &DerCertificate,
    ) -> Result<Option<TransparencyLogEntry>, SigningError> {
        let Some(log) = &self.instance.log else {
            return Ok(None);
        };
        let path = match log.version {
            LogVersion::V1 => "/api/v1/log/entries",
            LogVersion::V2 => "/api/v2/log/entries",
        };
        let asked = Asked {
            what: "an entry in the transparency log",
            url: format!("{}{path}", log.url),
        };
        let body: Result<Vec<u8>, Cause> = match log.version {
            LogVersion::V1 => DsseEntry::new(envelope, certificate)
                .map_err(Cause::from)
                .and_then(|entry| serde_json::to_vec(&entry).map_err(Cause::from)),
            LogVersion::V2 => {
                let hash = sha256(&pae(&envelope.payload_type, envelope.payload.as_bytes()));
                let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
                let signature = &envelope.signature.sig;
                let entry =
                    HashedRekordV2::new_with_certificate(&hash, signature, certificate, details);
                serde_json::to_vec(&entry).map_err(Cause::from)
            }
        };
        let body = body.map_err(|source| SigningError::Encode {
            what: "the entry for the transparency log",
            source,
        })?;
        let body = Some((JSON, body.into()));
        let answer = asked.send(&self.services, None, body, JSON).await?;
        let entry = match log.version {
            LogVersion::V2 => asked.parse(&answer)?,
            LogVersion::V1 => {
                let entries: std::collections::BTreeMap<String, LogEntry> = asked.parse(&answer)?;
                let entry = entries.into_values().next();
                let entry = entry.ok_or_else(|| asked.malformed("it has none".into()))?;
                let entry = entry.to_bundle_entry(KindVersion::DsseV001);
                entry.map_err(|error| asked.malformed(error.into()))?
            }
        };
        Ok(Some(entry))
    }

    /// Gets a timestamp of a signature, if the instance has a timestamp authority.
    async fn timestamp(
        &self,
        signature: &SignatureBytes,
    ) -> Result<Option<TimestampToken>, SigningError> {
        let Some(url) = &self.instance.timestamps else {
            return Ok(None);
        };
        let asked = Asked {
            what: "a timestamp",
            url: url.clone(),
        };
        let query = timestamp_query(sha256(signature.as_bytes()).as_bytes());
        let body = Some(("application/timestamp-query", query.into()));
        let accept = "application/timestamp-reply";
        let answer = asked.send(&self.services, None, body, accept).await?;
        Ok(Some(TimestampToken::new(answer.to_vec())))
    }
}

/// Returns a request for a timestamp of a SHA-256 digest (RFC 3161, section 2.4.1). It asks for the certificate of the
/// authority, too. It needs no nonce: the signature is new, so no earlier answer can be about it.
fn timestamp_query(digest: &[u8]) -> Vec<u8> {
    const BEFORE: [u8; 24] = [
        0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
        0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
    ];
    const CERTIFICATE: [u8; 3] = [0x01, 0x01, 0xff];
    [&BEFORE, digest, &CERTIFICATE].concat()
}

/// Gets a token from `source`, and checks that it has not expired.
async fn new_token(
    services: &Services,
    source: &TokenSource,
) -> Result<IdentityToken, SigningError> {
    let token = match source {
        TokenSource::Token(token) => token.clone(),
        TokenSource::GitHub(github) => {
            let asked = Asked {
                what: TOKEN,
                url: github.request_url(),
            };
            let answer = asked.send(services, Some(&github.secret), None, JSON);
            let answer: TokenAnswer = asked.parse(&answer.await?)?;
            IdentityToken::new(&answer.value)?
        }
    };
    token.check(SystemTime::now())?;
    Ok(token)
}

/// A request to a service: the name of its answer, and its URL.
struct Asked {
    /// The name of the answer with its article, for messages: "a certificate".
    what: &'static str,
    url: String,
}

impl Asked {
    async fn send(
        &self,
        services: &Services,
        bearer: Option<&str>,
        body: Option<(&'static str, Bytes)>,
        accept: &'static str,
    ) -> Result<Bytes, SigningError> {
        let (_, what) = self.what.split_once(' ').unwrap_or(("", self.what));
        let call = ServiceCall {
            what,
            url: &self.url,
            bearer,
            body,
            accept,
            limit: ANSWER_LIMIT,
        };
        let answer = services.call(&call).await;
        answer.map_err(|source| SigningError::Service {
            what: self.what,
            url: self.address(),
            source,
        })
    }

    /// Returns the URL without its query, which may contain secrets.
    fn address(&self) -> String {
        let (address, _) = self.url.split_once('?').unwrap_or((&self.url, ""));
        address.to_owned()
    }

    fn parse<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, SigningError> {
        serde_json::from_slice(answer).map_err(|error| {
            // The message of `error` may quote the answer, which may be a token.
            let (line, column) = (error.line(), error.column());
            let reason = format!("it is malformed at line {line}, column {column}");
            self.malformed(reason.into())
        })
    }

    fn malformed(&self, source: Cause) -> SigningError {
        SigningError::Answer {
            what: self.what,
            url: self.address(),
            source,
        }
    }
}

/// Removes the message of a service from `error` if it repeats a part of the token.
fn without_token(mut error: SigningError, token: &IdentityToken) -> SigningError {
    if let SigningError::Service {
        source: oci::Error::Refused { answer, .. },
        ..
    } = &mut error
        && let Some(message) = &answer.message
        && token.is_in(message)
    {
        answer.message = None;
    }
    error
}

#[cfg(test)]
#[path = "tests/session.rs"]
mod tests;
