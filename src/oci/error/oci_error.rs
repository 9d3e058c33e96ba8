//! The error of this layer.

use std::io;
use std::path::PathBuf;

use crate::content::{Digest, StoreError, VerifyError};

use super::super::reference::ParseReferenceError;
use super::words::{in_seconds, within};
use super::{
    Answer, ClientCertificateProblem, CredentialHelperError, ProxyError, TlsProblem, UploadProblem,
};

/// An error of another library. Its type is not part of the interface of this one.
type OpaqueError = Box<dyn std::error::Error + Send + Sync>;

/// An error of a registry, a layout or a reference.
///
/// A field has the same meaning in all variants. `what` names the content, such as "manifest 1.0 of
/// ghcr.io/org/provider". `registry` is the host of the registry as in references. `address` is the URL of the request,
/// without its query. `answer` is the answer of the server. `path` is the file or directory that could not be used.
/// `source` is the cause, and `reason` describes the cause in words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the documentation of the type describes the fields"
)]
pub enum Error {
    /// A text is not a reference.
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    /// A name is neither a tag nor a digest.
    #[error("`{name}` is neither a tag nor a digest")]
    Name { name: String },

    /// The registry does not have the content.
    #[error("{registry} does not have the {what} ({answer})")]
    NotFound {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    /// The registry requires credentials, but none are known.
    #[error("{registry} requires credentials for the {what}, but none were found ({answer})")]
    CredentialsMissing {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    /// The registry or its token service refused the credentials.
    #[error("{registry} refused the credentials of {user} ({answer})")]
    CredentialsRefused {
        registry: String,
        user: String,
        answer: Box<Answer>,
    },
    /// The token service at `service` refused the identity token that is stored for the registry.
    #[error(
        "the token service {service} refused the credentials of the stored identity token for \
         {registry} ({answer})"
    )]
    IdentityTokenRefused {
        registry: String,
        service: String,
        answer: Box<Answer>,
    },
    /// An identity token is stored for the registry, but `service` accepts only users and passwords.
    #[error(
        "the token service {service} takes no identity tokens ({answer}), but one is stored for \
         {registry}"
    )]
    IdentityTokenUnsupported {
        registry: String,
        service: String,
        answer: Box<Answer>,
    },
    /// The credentials are valid, but the user lacks a permission.
    #[error("{registry} does not allow {user} access to the {what} ({answer})")]
    Forbidden {
        what: String,
        registry: String,
        user: String,
        answer: Box<Answer>,
    },
    /// Credentials were not sent to the token service (`realm`) that the registry names.
    #[error("the token service {realm} that {registry} names was not asked for a token: {reason}")]
    RealmRefused {
        registry: String,
        realm: String,
        reason: &'static str,
    },
    /// The registry asks for neither Basic nor Bearer authentication.
    #[error("{registry} asks for a kind of authentication that is not supported: {challenge}")]
    Challenge { registry: String, challenge: String },
    /// The token service at `url` answered with something that is not a token.
    #[error("the token service {url} gave no usable token: {reason}")]
    TokenAnswer { url: String, reason: &'static str },
    /// The token service at `service` failed.
    #[error("the token service {service} failed on the {what} ({answer})")]
    TokenService {
        what: String,
        service: String,
        answer: Box<Answer>,
    },
    /// A file with credentials cannot be read.
    #[error("credentials for {registry} cannot be read from {path}")]
    CredentialFile {
        registry: String,
        path: PathBuf,
        source: io::Error,
    },
    /// A file with credentials, or the entry for the registry in it, is malformed.
    #[error("credentials for {registry} cannot be taken from {path}: {reason}")]
    CredentialEntry {
        registry: String,
        path: PathBuf,
        reason: String,
    },
    /// The credential helper that a file names failed.
    #[error("the credential helper that {path} names for {registry} failed")]
    CredentialHelper {
        registry: String,
        path: PathBuf,
        source: CredentialHelperError,
    },
    /// The program's own provider of credentials failed.
    #[error("the program gave no credentials for {registry}")]
    CredentialProvider {
        registry: String,
        source: OpaqueError,
    },
    /// A file with credentials cannot be written.
    #[error("credentials for {registry} cannot be stored in {path}")]
    CredentialsNotStored {
        registry: String,
        path: PathBuf,
        source: io::Error,
    },

    /// The registry answered with an error that has no variant of its own.
    #[error("{registry} failed on the {what} ({answer})")]
    Refused {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    /// A connection to the registry could not be established.
    #[error("{registry} is not answering at {address}")]
    Unreachable {
        registry: String,
        address: String,
        source: OpaqueError,
    },
    /// The server answers, but not as a registry.
    #[error("there is no registry at {address}: {reason}")]
    NotARegistry { address: String, reason: String },
    /// The TLS handshake with the registry failed.
    #[error("no secure connection to {registry} at {address}: {problem}")]
    Tls {
        registry: String,
        address: String,
        problem: TlsProblem,
        source: OpaqueError,
    },
    /// No certificate authority can be loaded from `place`, so that no certificate can be verified.
    #[error("no certificate authority can be loaded from {place}: {reason}")]
    NoAuthorities { place: String, reason: String },
    /// A proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The client sent a request in plain HTTP to a server that speaks TLS.
    #[error("{registry} speaks TLS at {address}, but the request was sent in plain HTTP")]
    PlainHttp { registry: String, address: String },
    /// The connection failed before the answer was complete.
    #[error("the request for the {what} to {address} failed")]
    Interrupted {
        what: String,
        address: String,
        source: OpaqueError,
    },
    /// No byte was sent or received during the longest time that a transfer may stall.
    #[error("the transfer of the {what} with {address} made no progress for {}", in_seconds(*seconds))]
    Stalled {
        what: String,
        address: String,
        seconds: u64,
    },
    /// All attempts failed. `last` is the error of the last attempt.
    #[error("gave up after {attempts} attempts{}", within(*seconds))]
    GaveUp {
        attempts: u32,
        seconds: u64,
        #[source]
        last: Box<Error>,
    },
    /// All mirrors of a registry failed. Then the registry itself failed with the error `last`.
    #[error("no mirror gave an answer ({mirrors}), and the registry itself is unavailable")]
    NoMirrorEither {
        mirrors: String,
        #[source]
        last: Box<Error>,
    },
    /// A redirect leads from HTTPS to plain HTTP or changes the method, or there were too many redirects in a row.
    #[error("a redirect of {address} for the {what} was not followed")]
    Redirect {
        what: String,
        address: String,
        source: OpaqueError,
    },
    /// The registry redirected a request to a host that demands credentials and gets none. For writes, credentials are
    /// sent only to the registry itself; for reads, only to hosts whose certificate is checked or that are on this machine.
    #[error(
        "the request for the {what} was redirected to {address}, which gets no credentials and refused it \
         ({answer})"
    )]
    RedirectDenied {
        what: String,
        address: String,
        answer: Box<Answer>,
    },
    /// The registry does not accept the content.
    #[error("{registry} does not accept the {what}: {problem}")]
    Upload {
        what: String,
        registry: String,
        problem: UploadProblem,
    },
    /// The registry accepted an upload, but gave no usable URL for it.
    #[error("{registry} gave no usable location to send the {what} to: {reason}")]
    Location {
        what: String,
        registry: String,
        reason: String,
    },
    /// The registry answered a request for a byte range with other bytes.
    #[error("{registry} ignored the byte range of the {what} ({reason})")]
    RangeIgnored {
        what: String,
        registry: String,
        reason: String,
    },
    /// The content came from a mirror, but only the registry itself is trusted for it.
    #[error("the {what} comes from {from}, but must come from {registry} itself")]
    SecondHand {
        what: String,
        registry: String,
        from: String,
    },
    /// The requested byte range, from `start` up to but not including `end`, is not within the content.
    #[error("bytes {start} to {end} are not within the {size} bytes of the {what}")]
    RangeOutside {
        what: String,
        start: u64,
        end: u64,
        size: u64,
    },

    /// The content breaks a rule of its format.
    #[error("the {what} is malformed: {reason}")]
    Malformed { what: String, reason: String },
    /// The content is not JSON, or does not have the expected form.
    #[error("the {what} is malformed")]
    Json { what: String, source: OpaqueError },
    /// The content is larger than the limit of the client.
    #[error("the {what} is larger than the limit of {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    /// The bytes do not have the requested digest or size.
    #[error("the {what} is not the requested content")]
    NotVerified { what: String, source: VerifyError },
    /// Two statements about the same content differ, such as a header and the body.
    #[error("the {what} was announced with {announced}, but has {actual}")]
    Contradiction {
        what: String,
        announced: String,
        actual: String,
    },
    /// After an upload, the registry has other content than the client sent.
    #[error("{registry} accepted the {what}, but stored {actual} instead of {expected}")]
    StoredDifferently {
        what: String,
        registry: String,
        expected: String,
        actual: String,
    },
    /// The artifact is a WebAssembly component.
    #[error("{reference} is a WebAssembly component ({media_type}), not a provider archive")]
    Component {
        reference: String,
        media_type: String,
    },
    /// The artifact is something other than a provider archive.
    #[error(
        "{reference} is not a provider archive: its config is `{config}`, its layers are {layers}"
    )]
    UnsupportedArtifact {
        reference: String,
        config: String,
        layers: String,
    },
    /// The type of a manifest is not supported. Such a manifest may name content in a way that the client does not
    /// know.
    #[error("the {what} is of the type `{media_type}`, which is not supported")]
    UnsupportedManifest { what: String, media_type: String },
    /// The server compressed an answer, although the client did not ask for that.
    #[error(
        "{registry} sent the {what} with the content encoding `{encoding}`, which was not requested"
    )]
    Encoded {
        what: String,
        registry: String,
        encoding: String,
    },
    /// An image index has several manifests, but none for the platform `wanted`.
    #[error("the image index has no manifest for {wanted}; it has {available}")]
    NoPlatform { wanted: String, available: String },
    /// The registry does not let a tag move from `existing` to `wanted`.
    #[error(
        "{reference} already names {existing}, and the registry does not move it to {wanted} ({answer})"
    )]
    TagImmutable {
        reference: String,
        existing: Digest,
        wanted: Digest,
        answer: Box<Answer>,
    },

    /// The directory or the file is not an OCI image layout.
    #[error("{directory} is not an OCI image layout: {reason}")]
    NotALayout {
        directory: PathBuf,
        reason: &'static str,
    },
    /// An OCI image layout cannot be created in the directory.
    #[error("{directory} cannot become an OCI image layout: {reason}")]
    NewLayout {
        directory: PathBuf,
        reason: &'static str,
    },
    /// The content is not in the layout.
    #[error("{directory} does not hold the {what}")]
    NotInLayout { directory: PathBuf, what: String },
    /// A name is the name of several manifests of the layout, or the layout has several manifests and no name is given.
    #[error("{directory} holds {count} manifests {problem}: {choices}")]
    Ambiguous {
        directory: PathBuf,
        count: usize,
        problem: String,
        choices: String,
    },
    /// A file or directory cannot be read or written.
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    /// The source of a transfer cannot be read.
    #[error("the {what} could not be read for the transfer")]
    SourceFailed { what: String, source: io::Error },
    /// The source of a transfer gave other content than its digest says.
    #[error("the source of the {what} gives other content")]
    SourceChanged { what: String, source: VerifyError },
    /// The storage at the other end of a transfer failed.
    #[error(transparent)]
    Source(#[from] StoreError),
    /// A file with certificate authorities cannot be used.
    #[error("the certificate authorities in {path} cannot be used: {reason}")]
    CertificateAuthority { path: PathBuf, reason: String },
    /// A client certificate or its key cannot be used. `source` is `None` when `problem` says everything that is known.
    #[error("the client certificate in {path} cannot be used: {problem}")]
    ClientCertificate {
        path: PathBuf,
        problem: ClientCertificateProblem,
        source: Option<OpaqueError>,
    },
    /// The directory that was given for the settings of registries cannot be read.
    #[error("cannot use {path} as the directory with the settings of registries")]
    HostsDirectory { path: PathBuf, source: io::Error },
    /// A `hosts.toml` is malformed. `line` and `column` are counted from 1.
    #[error("{path}, line {line}, column {column}: {reason}")]
    HostsFile {
        path: PathBuf,
        line: usize,
        column: usize,
        reason: String,
    },
    /// No host in a `hosts.toml` has the `capability` that a request needs.
    #[error("no host that hosts.toml names for {registry} has the capability `{capability}`")]
    NoHost {
        registry: String,
        capability: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Client { source: OpaqueError },
    /// Work in the background ended early: the runtime shuts down, or the work panicked.
    #[error("a background task was cancelled")]
    Cancelled { source: OpaqueError },
}

#[cfg(test)]
#[path = "tests/oci_error.rs"]
mod tests;
