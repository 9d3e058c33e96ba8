//! The `hosts.toml` with which hosts find a mirror.

use std::collections::BTreeSet;

use crate::oci::Reference;

use super::super::client::Client;
use super::super::error::Error;
use super::destination::{Kind, MirrorDestination};

/// What a host has to read to find a registry in a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorHosts {
    /// The registry that is mirrored.
    pub registry: String,
    /// The content of its `hosts.toml`, in the format of containerd.
    pub text: String,
}

impl MirrorHosts {
    /// Returns the settings for the registries of `references`, sorted. A layout has none.
    pub(super) async fn of(
        client: &Client,
        mirror: &MirrorDestination,
        references: impl Iterator<Item = &Reference>,
    ) -> Result<Vec<Self>, Error> {
        let Kind::Registry(place) = &mirror.0 else {
            return Ok(Vec::new());
        };
        let url = client.registries.push_url(place.registry()).await?;
        // A host that stands for the registry is told which one by a query. The settings of other hosts have none.
        let url = url.split('?').next().unwrap_or_default();
        let registries = references.filter_map(|reference| match reference {
            Reference::Registry(place) => Some(place.registry()),
            Reference::Layout(_) => None,
        });
        let registries: BTreeSet<&str> = registries.collect();
        let hosts = registries.into_iter().filter_map(|registry| {
            let prefix = mirror.prefix_of(registry)?;
            let path = prefix.strip_prefix(place.registry())?.trim_matches('/');
            let url = format!("{}/{path}", url.trim_end_matches('/'));
            Some(Self::new(registry, &url))
        });
        Ok(hosts.collect())
    }

    fn new(registry: &str, url: &str) -> Self {
        // The names of registries and the URLs that are made of them have no characters that TOML would escape.
        let text = format!(
            "[host.\"{url}\"]\n\
             capabilities = [\"pull\", \"resolve\", \"referrers\"]\n\
             override_path = true\n"
        );
        Self {
            registry: registry.to_owned(),
            text,
        }
    }

    /// Returns the name of the directory that the file `hosts.toml` is in, below the directory of all registries.
    /// A port is written as Windows allows it, which containerd reads on every system: `registry.lan_5000_`.
    #[must_use]
    pub fn directory(&self) -> String {
        match self.registry.rsplit_once(':') {
            Some((host, port)) if cfg!(windows) && !port.contains(']') => format!("{host}_{port}_"),
            _ => self.registry.clone(),
        }
    }
}
