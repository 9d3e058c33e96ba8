//! What was found to belong to a manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::{Descriptor, Digest};
use crate::oci::Reference;

use super::attachment::CREATED;
use super::sigstore::{BundleError, SigstoreIdentity};

/// The config of a container image. It says nothing about what is attached.
const IMAGE_CONFIG: &str = crate::oci::media_type::IMAGE_CONFIG;

/// A manifest with everything that is attached to it, directly or to what belongs to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Discovered {
    /// The reference that was asked about.
    pub reference: Reference,
    /// The manifest that the reference names.
    pub root: DiscoveredManifest,
    /// Whether everything is here. `false` when there is more than 1,000 manifests, or manifests of more than 64 MiB, or more
    /// than five levels, and when a manifest could not be read. Warnings in the log say which.
    pub complete: bool,
}

/// A manifest, and what belongs to it.
///
/// Its digest is verified. What it says is not: anybody who may push to the repository can attach content.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DiscoveredManifest {
    /// The manifest or the index.
    pub manifest: Descriptor,
    /// Why it is listed.
    pub relation: Relation,
    /// The type of the artifact: that of the manifest, else that of its config, unless the config is empty.
    pub artifact_type: Option<String>,
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The layers of the manifest, which are the content of an attachment.
    pub files: Vec<DiscoveredFile>,
    /// Whether an identity vouches by this Sigstore bundle for the manifest above. `None`: it is no bundle, or that was not
    /// found out by `Client::verify_bundles`.
    pub vouching: Option<Vouching>,
    /// What belongs to the manifest: the manifests of an index, then its referrers, then what older tools have attached by
    /// a tag.
    pub manifests: Vec<DiscoveredManifest>,
}

/// Whether an identity vouches by a Sigstore bundle.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Vouching {
    /// The bundle is verified: this identity has signed it.
    By(SigstoreIdentity),
    /// The bundle does not verify, for this reason.
    Refused(Arc<BundleError>),
}

/// Why a manifest is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// The reference names it.
    Root,
    /// It names the manifest above as its subject.
    Referrer,
    /// The index above lists it.
    Entry {
        /// The platform in the index, such as `linux/arm64`.
        platform: Option<String>,
    },
    /// It has a tag made of the digest of the manifest above, such as `sha256-….sig`. The field is the tag.
    Tag(String),
}

/// Content of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveredFile {
    /// The media type, the digest and the size.
    pub content: Descriptor,
    /// The name of the file.
    pub title: Option<String>,
}

impl Discovered {
    /// Returns the manifest of this digest, or the one with a file of this digest. The root does not count.
    #[must_use]
    pub fn find(&self, digest: &Digest) -> Option<&DiscoveredManifest> {
        let all = self.attached();
        let by_manifest = all.iter().find(|found| found.manifest.digest == *digest);
        let mut by_file = all.iter().filter(|found| {
            let mut files = found.files.iter();
            files.any(|file| file.content.digest == *digest)
        });
        by_manifest.or_else(|| by_file.next()).copied()
    }

    /// Returns everything below the root, each manifest before what belongs to it.
    #[must_use]
    pub fn attached(&self) -> Vec<&DiscoveredManifest> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }

    /// Removes what is not of the type `artifact_type`, and has nothing of that type below it.
    #[must_use]
    pub fn of_type(mut self, artifact_type: &str) -> Self {
        retain(&mut self.root, artifact_type);
        self
    }
}

fn collect<'a>(manifest: &'a DiscoveredManifest, found: &mut Vec<&'a DiscoveredManifest>) {
    for below in &manifest.manifests {
        found.push(below);
        collect(below, found);
    }
}

fn retain(manifest: &mut DiscoveredManifest, artifact_type: &str) {
    for below in &mut manifest.manifests {
        retain(below, artifact_type);
    }
    let is_wanted =
        |below: &DiscoveredManifest| below.kind() == artifact_type || !below.manifests.is_empty();
    manifest.manifests.retain(is_wanted);
}

impl DiscoveredManifest {
    /// Returns the type that tells what this is: the type of the artifact; of a manifest without one, or one with the
    /// config of a container image, as cosign writes signatures, the type of its first file; else that of the manifest.
    #[must_use]
    pub fn kind(&self) -> &str {
        let own = self.artifact_type.as_deref();
        let file = self.files.first();
        let file = file.map(|file| file.content.media_type.as_str());
        // Some tools leave the type out.
        let file = file.filter(|name| !name.is_empty());
        match (own, file, &self.relation) {
            (None, Some(file), _) | (Some(IMAGE_CONFIG), Some(file), Relation::Tag(_)) => file,
            (Some(own), ..) => own,
            (None, None, _) => &self.manifest.media_type,
        }
    }

    /// Returns the annotation `org.opencontainers.image.created`, unchecked.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        self.annotations.get(CREATED).map(String::as_str)
    }

    /// Returns how many bytes the files have together.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.files.iter().map(|file| file.content.size);
        sizes.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
#[path = "tests/discovered.rs"]
mod tests;
