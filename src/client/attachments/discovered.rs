//! The attachments of a manifest, as a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::{Descriptor, Digest};
use crate::oci::Reference;
use crate::oci::annotation_names::CREATED;

use super::super::sigstore::{BundleError, SigstoreIdentity};

/// The media type of the config of a container image. It says nothing about the kind of an attachment.
const IMAGE_CONFIG: &str = crate::oci::media_type::IMAGE_CONFIG;

/// A manifest with its attachments, the manifests of an index, and their attachments.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Discovered {
    /// The reference whose attachments were discovered.
    pub reference: Reference,
    /// The manifest that the reference names.
    pub root: DiscoveredManifest,
    /// Whether the tree is complete. `false` if there are more than 1,000 manifests, more than 64 MiB of manifests or more
    /// than five levels, or if a manifest could not be read. Warnings in the log give the reason.
    pub complete: bool,
}

/// A manifest, and the manifests below it.
///
/// Its digest is verified, but its content is not trusted: everybody who may push to the repository can attach content.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DiscoveredManifest {
    /// The manifest or the index.
    pub manifest: Descriptor,
    /// The relation to the manifest above.
    pub relation: Relation,
    /// The type of the artifact: the artifact type of the manifest, else the media type of its config, unless the config is
    /// empty.
    pub artifact_type: Option<String>,
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The layers of the manifest, which are the content of an attachment.
    pub files: Vec<DiscoveredFile>,
    /// The result of verifying this Sigstore bundle about the manifest above. `None`: this is not a bundle, or
    /// `Client::verify_bundles` was not called.
    pub vouching: Option<Vouching>,
    /// The manifests below this one: first the manifests of an index, then referrers, then manifests that older tools have
    /// attached by a tag.
    pub manifests: Vec<DiscoveredManifest>,
}

/// The result of verifying a Sigstore bundle.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Vouching {
    /// The bundle verifies. This identity has signed it.
    By(SigstoreIdentity),
    /// The bundle does not verify, for this reason.
    Refused(Arc<BundleError>),
}

/// The relation of a manifest to the manifest above it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// The reference names this manifest. There is none above it.
    Root,
    /// The subject of this manifest is the manifest above.
    Referrer,
    /// The index above lists this manifest.
    Entry {
        /// The platform in the index, such as `linux/arm64`.
        platform: Option<String>,
    },
    /// This manifest has a tag made of the digest of the manifest above, such as `sha256-….sig`. The field is the tag.
    Tag(String),
}

/// A file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveredFile {
    /// The media type, the digest and the size.
    pub content: Descriptor,
    /// The name of the file.
    pub title: Option<String>,
}

impl Discovered {
    /// Returns the manifest with this digest, or else the first one with a file of this digest. The root is not searched.
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

    /// Returns all manifests below the root. Each manifest comes before those below it.
    #[must_use]
    pub fn attached(&self) -> Vec<&DiscoveredManifest> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }

    /// Keeps only manifests of the type `artifact_type`, and the manifests above them.
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
    /// Returns the type that describes this manifest best. That is its artifact type. If it has none, or if it is a tagged
    /// manifest with the config of a container image, as cosign writes signatures, it is the media type of its first file.
    /// If it has no file either, it is the media type of the manifest.
    #[must_use]
    pub fn kind(&self) -> &str {
        let own = self.artifact_type.as_deref();
        let file = self.files.first();
        let file = file.map(|file| file.content.media_type.as_str());
        // Some tools leave out the media type.
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

    /// Returns the size of all files together, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.files.iter().map(|file| file.content.size);
        sizes.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
#[path = "tests/discovered.rs"]
mod tests;
