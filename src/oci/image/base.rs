//! A base image: the layers and the config on which another image is built.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::content::{Descriptor, Digest};

use super::super::artifact::choose_from_index;
use super::super::error::Error;
use super::super::manifest::CHILDREN_LIMIT;
use super::super::media_type;
use super::platform::ImagePlatform;

/// The manifest of a base image for one platform.
#[derive(Debug, Clone)]
pub(crate) struct BaseImage {
    /// The manifest.
    pub(super) manifest: Descriptor,
    /// The layers, the lowest first, with media types of OCI.
    layers: Vec<Descriptor>,
    /// The descriptor of the config.
    config: Descriptor,
    /// The content of the config. It is empty until [`set_config`](Self::set_config) is called.
    pub(super) content: BaseConfig,
}

/// The fields of a base image's config that an image built on it keeps.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct BaseConfig {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    /// The settings with which containers are started.
    #[serde(default)]
    pub(super) config: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) rootfs: RootFs,
    #[serde(default)]
    pub(super) history: Option<Vec<Value>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct RootFs {
    #[serde(default)]
    pub(super) diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Option<Descriptor>,
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(flatten)]
    descriptor: Descriptor,
    urls: Option<Vec<String>>,
}

impl BaseImage {
    /// Returns the manifest of the base image for `platform`. When `descriptor` is an index with the content `bytes`,
    /// that is one of its entries, and otherwise `descriptor` itself.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlatform`], or the errors of a malformed index.
    pub(crate) fn choose(
        descriptor: &Descriptor,
        bytes: &[u8],
        platform: &ImagePlatform,
    ) -> Result<Descriptor, Error> {
        if !media_type::is_index(&descriptor.media_type) {
            return Ok(descriptor.clone());
        }
        choose_from_index(bytes, platform.os, &platform.architecture_and_variant())
    }

    /// Reads `bytes`, the verified manifest of `descriptor`.
    ///
    /// # Errors
    ///
    /// [`Error::Json`], [`Error::Malformed`], or [`Error::UnsupportedManifest`] when it is not an image.
    pub(crate) fn parse(descriptor: Descriptor, bytes: &Bytes) -> Result<Self, Error> {
        let what = || format!("manifest {}", descriptor.digest);
        let is_image = media_type::is_image(&descriptor.media_type)
            && !media_type::is_index(&descriptor.media_type);
        if !is_image {
            return Err(Error::UnsupportedManifest {
                what: what(),
                media_type: descriptor.media_type.clone(),
            });
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
        let (Some(config), Some(layers)) = (manifest.config, manifest.layers) else {
            return Err(Error::malformed(what(), "it has no config or no layers"));
        };
        if layers.len() > CHILDREN_LIMIT {
            return Err(Error::malformed(what(), "it has more than 1,000 layers"));
        }
        let mut kept = Vec::with_capacity(layers.len());
        for layer in layers {
            let has_urls = layer.urls.is_some_and(|urls| !urls.is_empty());
            let found = &layer.descriptor.media_type;
            let known = media_type::image_layer(found).filter(|_| !has_urls);
            let Some(media_type) = known else {
                return Err(Error::UnsupportedManifest {
                    what: format!("layer {} of a base image", layer.descriptor.digest),
                    media_type: found.clone(),
                });
            };
            kept.push(Descriptor {
                media_type: media_type.to_owned(),
                ..layer.descriptor
            });
        }
        Ok(Self {
            manifest: descriptor,
            layers: kept,
            config,
            content: BaseConfig::default(),
        })
    }

    pub(crate) fn config(&self) -> &Descriptor {
        &self.config
    }

    /// Returns the layers, the lowest first.
    pub(crate) fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// Reads `bytes`, the verified config, and checks that the image is for `platform`.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlatform`], [`Error::Json`] or [`Error::Malformed`].
    pub(crate) fn set_config(
        &mut self,
        bytes: &[u8],
        platform: &ImagePlatform,
    ) -> Result<(), Error> {
        let what = || format!("config {}", self.config.digest);
        let config: BaseConfig = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
        if config.os != platform.os || config.architecture != platform.architecture {
            return Err(Error::NoPlatform {
                wanted: platform.to_string(),
                available: config.platform(),
            });
        }
        if config.rootfs.diff_ids.len() != self.layers.len() {
            let reason = "the number of its layers differs from that of the manifest";
            return Err(Error::malformed(what(), reason));
        }
        self.content = config;
        Ok(())
    }
}

impl BaseConfig {
    fn platform(&self) -> String {
        let parts = [self.os.as_str(), &self.architecture];
        let parts = parts.into_iter().chain(self.variant.as_deref());
        super::super::one_line::one_line(&parts.collect::<Vec<_>>().join("/"))
    }
}
