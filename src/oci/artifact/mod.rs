//! Artifacts: the manifest of a provider archive, the choice from an image index, and the manifests of content that is
//! attached to another manifest.

mod attachment;
mod described;
mod platform;
mod provider;

pub(crate) use attachment::AttachmentManifest;
pub(crate) use described::{DescribedEntry, DescribedLayer, DescribedManifest};
pub(crate) use platform::choose_from_index;
pub(crate) use provider::Artifact;
