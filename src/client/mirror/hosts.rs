//! The `hosts.toml` that makes hosts use a mirror.

use std::collections::BTreeSet;

use crate::oci::Reference;

use super::super::client::Client;
use super::super::error::Error;
use super::destination::{Kind, MirrorDestination};

/// The configuration that makes a host use a mirror for one registry.
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
        // If another host receives the pushes for the registry, the URL has a query that names the registry. A URL in
        // `hosts.toml` has no query.
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
        // The URL contains only the names of registries and a prefix, so TOML needs no escape sequences.
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

    /// Returns the name of the directory of this `hosts.toml`, below the directory for all registries. On Windows, where
    /// names of files cannot have colons, a port has underscores around it: `registry.lan_5000_`. Containerd reads this form
    /// on every system.
    #[must_use]
    pub fn directory(&self) -> String {
        match self.registry.rsplit_once(':') {
            Some((host, port)) if cfg!(windows) && !port.contains(']') => format!("{host}_{port}_"),
            _ => self.registry.clone(),
        }
    }
}
