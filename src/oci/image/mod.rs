//! Container images: the platform, the config and the manifests of an image, and a base image below it.
//!
//! The formats are those of the OCI image specification. Equal arguments give equal bytes.

mod base;
mod config;
mod manifests;
mod platform;
#[cfg(test)]
mod tests;

pub(crate) use base::BaseImage;
pub(crate) use config::ImageConfig;
pub(crate) use manifests::{Image, ImageLayer, image_index};
pub(crate) use platform::ImagePlatform;
