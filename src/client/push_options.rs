//! The options of a push.

use std::collections::BTreeMap;

use crate::archive::Rotation;

use super::attachment::Attachment;
use super::signing::SigstoreSigner;

/// What a push does besides giving the tag of its reference.
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
    /// Annotations for the manifest. Default: none, besides those that a push writes itself.
    pub annotations: BTreeMap<String, String>,
    /// Tags to give besides the one of the reference. Default: none.
    pub tags: Vec<String>,
    /// A statement by which a former issuer hands over to that of the archive. The manifest carries it, and hosts
    /// that have pinned the former issuer follow it. Default: none.
    pub rotation: Option<Rotation>,
    /// What to attach to the manifest. It is attached before a tag names the manifest. Default: nothing.
    ///
    /// An attachment that says no time gets that of signing, so that repeating the push gives the same digests.
    pub attachments: Vec<Attachment>,
    /// Who signs the manifest with Sigstore. It is signed, and the signature is attached, before a tag names the manifest. Each
    /// push adds a signature. A dry run signs nothing. Default: nobody.
    pub sigstore: Option<SigstoreSigner>,
    /// Whether the push fails when one of the tags names another manifest, instead of moving the tag. The tags are
    /// looked up before anything is sent. A push by another client at the same time is not noticed. Default:
    /// `false`.
    pub if_absent: bool,
    /// Whether a tag that names an archive of another issuer or subject may be moved. What the tags name is looked
    /// up before anything is sent. A push by another client at the same time is not noticed. Default: `false`.
    pub change_identity: bool,
    /// Whether nothing is sent. The archive is verified, and its manifest and its digest are determined. Default:
    /// `false`.
    pub dry_run: bool,
}

impl PushOptions {
    /// Adds an annotation for the manifest.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Adds a tag to give besides the one of the reference.
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

    /// Sets whether nothing is sent.
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
