//! Making a container image of an archive: its layers, its base and its labels, and sending it to a storage.

mod base;
mod built;
mod exported;
mod labels;
mod layers;
mod options;
mod sending;

pub(super) use built::{Archive, Built};
pub use exported::{Exported, ExportedImage};
pub(super) use layers::is_for_images;
pub use options::ExportOptions;
