//! Provider archives as artifacts: their manifest, and the choice from an image index.

mod platform;
mod provider;

pub(crate) use platform::choose_from_index;
pub(crate) use provider::Artifact;
