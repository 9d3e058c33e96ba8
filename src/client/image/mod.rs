//! A container image on its way from an archive to a storage: its layers, its base, its labels, and sending it.

mod base;
mod built;
mod labels;
mod layers;
mod sending;

pub(super) use built::{Archive, Built};
pub(super) use layers::is_for_images;
