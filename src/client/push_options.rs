//! The options of a push.

use std::collections::BTreeMap;

use crate::archive::Rotation;

use super::attachments::Attachment;
use super::signing::SigstoreSigner;

/// The options of a push.
///
/// ```
/// use wasmcloud_par::client::PushOptions;
///
/// let options = PushOptions::default()
///     .annotation("org.opencontainers.image.source", "https://example.com/provider")
///     .tag("1.2")
///     .tag("1")
///     .if_absent(true);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PushOptions {
    /// Annotations for the manifest, besides those that a push writes itself. Default: none.
    pub annotations: BTreeMap<String, String>,
    /// Tags for the manifest besides the one of the reference. Default: none.
    pub tags: Vec<String>,
    /// A statement by which a former issuer hands over to the issuer of the archive. The manifest carries it, and hosts
    /// that have pinned the former issuer accept the new one. Default: none.
    pub rotation: Option<Rotation>,
    /// Artifacts to attach to the manifest, before a tag names the manifest. Default: none.
    ///
    /// An attachment without a time gets the time at which the archive was signed, so that repeating the push gives the
    /// same digests.
    pub attachments: Vec<Attachment>,
    /// Signs the manifest with Sigstore. The signature is attached before a tag names the manifest. Each push adds a
    /// signature. A dry run signs nothing. Default: `None`, the manifest is not signed.
    pub sigstore: Option<SigstoreSigner>,
    /// Whether the push fails when one of the tags names another manifest, instead of moving the tag. The tags are
    /// looked up before anything is sent. A push by another client at the same time is not noticed. Default:
    /// `false`.
    pub if_absent: bool,
    /// Whether a tag that names an archive of another issuer or subject may be moved. The tags are looked up before
    /// anything is sent. A push by another client at the same time is not noticed. Default: `false`.
    pub change_identity: bool,
    /// Whether the push is a dry run: the archive is verified and the digest of its manifest is computed, but nothing
    /// is sent. Default: `false`.
    pub dry_run: bool,
}

impl PushOptions {
    /// Adds an annotation for the manifest.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Adds a tag for the manifest besides the one of the reference.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds a rotation statement to the manifest. It must be about the issuer and the subject of the archive.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// Adds content to attach to the manifest.
    #[must_use]
    pub fn attachment(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Signs the manifest with Sigstore.
    #[must_use]
    pub fn sigstore(mut self, signer: SigstoreSigner) -> Self {
        self.sigstore = Some(signer);
        self
    }

    /// Sets whether the push fails when one of the tags names another manifest.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// Sets whether a tag that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }

    /// Sets whether the push is a dry run, which sends nothing.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

impl From<&BTreeMap<String, String>> for PushOptions {
    /// Returns options with these annotations, and the defaults otherwise.
    fn from(annotations: &BTreeMap<String, String>) -> Self {
        Self {
            annotations: annotations.clone(),
            ..Self::default()
        }
    }
}
