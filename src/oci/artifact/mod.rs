//! Artifacts: the manifest of a provider archive, the choice of a manifest from an image index, and the manifests of
//! attachments.

mod attachment;
mod described;
mod platform;
mod provider;
mod string_annotations;
mod written;

pub(crate) use attachment::AttachmentManifest;
pub(crate) use described::{DescribedEntry, DescribedLayer, DescribedManifest};
pub(crate) use platform::choose_from_index;
pub(crate) use provider::Artifact;
