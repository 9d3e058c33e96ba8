//! Making a container image of an archive: its layers, its base and its labels, and sending it to a storage.

mod base;
mod built;
mod labels;
mod layers;
mod sending;

pub(super) use built::{Archive, Built};
pub(super) use layers::is_for_images;
