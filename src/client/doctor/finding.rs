//! The results of checking a registry.

use std::sync::Arc;

use crate::content::{ErrorKind, with_causes};
use crate::oci;

/// The subject of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// A host of `hosts.toml` that is asked before the registry itself.
    Mirror,
    /// Whether a registry answers, and which server and API version it reports.
    Answer,
    /// How the connection is secured.
    Tls,
    /// Which authentication the registry demands, and whether it accepts the credentials.
    Authentication,
    /// Whether the repository can be read.
    Read,
    /// Whether a part of a blob can be downloaded. If so, an interrupted download can be continued.
    Ranges,
    /// Whether the registry has the referrers API.
    Referrers,
    /// Whether the repository accepts a blob in one request.
    Upload,
    /// Whether the repository accepts a blob in chunks.
    Chunks,
    /// Whether the repository accepts the media types of provider archives.
    MediaTypes,
    /// Whether content can be deleted.
    Delete,
    /// The processor and the system of this machine.
    Architecture,
    /// The C libraries for which this machine starts dynamic executables.
    CLibrary,
    /// Whether the cache can be written to.
    Cache,
    /// Whether executables in the cache can be started.
    NoExec,
    /// How many files a process can open.
    OpenFiles,
    /// Whether the clock of this machine agrees with that of the registry.
    Clock,
    /// Whether this machine can start the executable of a provider.
    Executable,
}

impl Check {
    /// Returns the name that is used in output.
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
            Self::Architecture => "architecture",
            Self::CLibrary => "c-library",
            Self::Cache => "cache",
            Self::NoExec => "noexec",
            Self::OpenFiles => "open-files",
            Self::Clock => "clock",
            Self::Executable => "executable",
        }
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Everything is as it should be.
    Good,
    /// Something is missing, and everything works without it.
    Limited,
    /// The registry, or this machine, cannot be used. Other operations fail with an error of this kind.
    Failed(ErrorKind),
    /// The check could not be made.
    Skipped,
}

impl Verdict {
    /// Returns the name that is used in output.
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

/// Advice about a finding: how to repair the problem, or its consequence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The mirror can be repaired, or removed from `hosts.toml`.
    RepairMirror,
    /// Only this mirror, and not the registry, can be read. All other findings are about the mirror.
    ReadThroughMirror(String),
    /// The registry can be asked over TLS.
    UseTls,
    /// The certificate can be verified.
    VerifyCertificate,
    /// The user can log in: credentials allow pushing, and reading private repositories.
    LogIn,
    /// The user can log in: credentials are needed unless the repository is public.
    LogInUnlessPublic,
    /// The user can check the name of the repository, which does not exist yet.
    CheckName,
    /// The user can name a tag of a provider archive. The checks that need a blob use that archive.
    NameTag,
    /// The user can look for a proxy that removes the header `Range`. Interrupted downloads cannot be continued without
    /// this header.
    FindProxy,
    /// Nothing needs to be done: blobs are sent in chunks.
    ChunksSuffice,
    /// Nothing needs to be done, unless a proxy limits the size of requests: blobs are sent whole.
    WholeSuffices,
    /// The registry can be configured to allow media types that begin with this.
    AllowMediaTypes(&'static str),
    /// The executable can be built for musl, so that it is static: it starts on every host.
    UseStatic,
    /// The library can be installed, or linked statically.
    InstallLibrary,
    /// Another directory can be used as the cache.
    UseOtherCache,
    /// The limit on open files can be raised.
    RaiseOpenFiles,
    /// The clock can be set.
    SetClock,
    /// The content with these digests stays until the registry collects garbage.
    CollectGarbage(Vec<String>),
}

/// The result of one check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// The outcome.
    pub verdict: Verdict,
    /// The observation, as text.
    pub said: String,
    /// The error that keeps the registry from being used.
    pub error: Option<Arc<oci::Error>>,
    /// Advice about the finding, if the error does not give it already.
    pub advice: Option<Advice>,
}

impl Finding {
    pub(in crate::client) fn new(check: Check, verdict: Verdict, said: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            said: said.into(),
            error: None,
            advice: None,
        }
    }

    pub(in crate::client) fn good(check: Check, said: impl Into<String>) -> Self {
        Self::new(check, Verdict::Good, said)
    }

    pub(in crate::client) fn limited(check: Check, said: impl Into<String>) -> Self {
        Self::new(check, Verdict::Limited, said)
    }

    /// Returns the finding for an error that keeps the registry from being used.
    pub(super) fn failed(check: Check, error: oci::Error) -> Self {
        let mut finding = Self::new(check, Verdict::Failed(error.kind()), with_causes(&error));
        finding.error = Some(Arc::new(error));
        finding
    }

    pub(in crate::client) fn advice(mut self, advice: Advice) -> Self {
        self.advice = Some(advice);
        self
    }
}

/// The results of all checks, in the order of the checks.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The findings, in the order of the checks. A check that does not apply has none. They end early when a failure makes
    /// the later checks impossible.
    pub findings: Vec<Finding>,
    /// The comparison of the clocks, if the registry's answer had a date.
    pub(in crate::client) clock: Option<Finding>,
}

impl Diagnosis {
    /// Returns the first finding that failed, and its kind. `None`: the registry can be used.
    #[must_use]
    pub fn obstacle(&self) -> Option<(&Finding, ErrorKind)> {
        let mut findings = self.findings.iter();
        findings.find_map(|finding| match finding.verdict {
            Verdict::Failed(kind) => Some((finding, kind)),
            _ => None,
        })
    }
}
