//! What has been found out about a registry.

use std::sync::Arc;

use crate::content::{ErrorKind, whole};
use crate::oci;

/// What a [`Finding`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// A host of `hosts.toml` that is asked besides the registry itself.
    Mirror,
    /// Whether a registry answers, and what it says it is.
    Answer,
    /// How the connection is secured.
    Tls,
    /// How the registry wants to be told who is asking, and whether it is.
    Authentication,
    /// Whether the repository can be read.
    Read,
    /// Whether a part of a blob can be had alone: downloads continue with that.
    Ranges,
    /// Whether the registry lists what refers to a manifest.
    Referrers,
    /// Whether the repository takes a blob in one request.
    Upload,
    /// Whether the repository takes a blob in chunks.
    Chunks,
    /// Whether the repository takes the media types of provider archives.
    MediaTypes,
    /// Whether content can be deleted.
    Delete,
}

impl Check {
    /// The name used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Answer => "answer",
            Self::Tls => "tls",
            Self::Authentication => "authentication",
            Self::Read => "read",
            Self::Ranges => "ranges",
            Self::Referrers => "referrers",
            Self::Upload => "upload",
            Self::Chunks => "chunks",
            Self::MediaTypes => "media-types",
            Self::Delete => "delete",
        }
    }
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing; everything works without.
    Limited,
    /// In the way. The kind is that of the error that other commands meet.
    Failed(ErrorKind),
    /// Not looked at.
    Skipped,
}

impl Verdict {
    /// The name used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Limited => "limited",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What can be done about a finding, or what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The mirror can be repaired, or removed from `hosts.toml`.
    RepairMirror,
    /// Only this mirror can be read, and all other findings are about it.
    ReadThroughMirror(String),
    /// The registry can be asked over TLS.
    UseTls,
    /// The certificate can be verified.
    VerifyCertificate,
    /// Credentials allow pushing, and reading what is private.
    LogIn,
    /// Credentials are needed, unless the repository is public.
    LogInUnlessPublic,
    /// The name of the repository can be checked: it does not exist yet.
    CheckName,
    /// A tag of a provider archive can be named, so that there is a blob to try downloads on.
    NameTag,
    /// A proxy may remove the header `Range`, without which downloads cannot continue.
    FindProxy,
    /// Nothing needs to be done: blobs are sent in chunks.
    ChunksSuffice,
    /// Nothing needs to be done, unless a proxy limits the size of requests: blobs are sent whole.
    WholeSuffices,
    /// The registry can be configured to allow media types that begin with this.
    AllowMediaTypes(&'static str),
    /// The content with these digests stays until the registry collects garbage.
    CollectGarbage(Vec<String>),
}

/// What a check has found out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// What it came to.
    pub verdict: Verdict,
    /// The facts.
    pub said: String,
    /// The error that is in the way.
    pub error: Option<Arc<oci::Error>>,
    /// What can be done about it, if that does not follow from the error.
    pub advice: Option<Advice>,
}

impl Finding {
    pub(super) fn new(check: Check, verdict: Verdict, said: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            said: said.into(),
            error: None,
            advice: None,
        }
    }

    pub(super) fn good(check: Check, said: impl Into<String>) -> Self {
        Self::new(check, Verdict::Good, said)
    }

    pub(super) fn limited(check: Check, said: impl Into<String>) -> Self {
        Self::new(check, Verdict::Limited, said)
    }

    pub(super) fn skipped(check: Check, said: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, said)
    }

    /// An error that is in the way.
    pub(super) fn failed(check: Check, error: impl Into<Arc<oci::Error>>) -> Self {
        let error = error.into();
        Self {
            error: Some(Arc::clone(&error)),
            ..Self::new(check, Verdict::Failed(error.kind()), whole(&*error))
        }
    }

    pub(super) fn advice(mut self, advice: Advice) -> Self {
        self.advice = Some(advice);
        self
    }
}

/// All that was found out, in the order in which it was.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// One or several for each check that made sense; nothing follows on what leaves nothing to check.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// The first thing in the way, and its kind. `None`: the registry can be used.
    #[must_use]
    pub fn obstacle(&self) -> Option<(&Finding, ErrorKind)> {
        let mut findings = self.findings.iter();
        findings.find_map(|finding| match finding.verdict {
            Verdict::Failed(kind) => Some((finding, kind)),
            _ => None,
        })
    }
}
