//! The endpoints of the registries that were used recently.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::content::blocking;
use crate::oci::error::Error;

use super::super::options::RegistryOptions;
use super::registry_endpoints::RegistryEndpoints;

/// The most registries whose endpoints are kept. Each of them has connections, tokens and certificates.
const LIMIT: usize = 32;

/// Keeps the endpoints of the registries that were used last, with their connections and tokens.
pub(crate) struct EndpointCache {
    options: Arc<RegistryOptions>,
    /// The endpoints by the names of registries as in references, the most recently used one last. The canonical name
    /// cannot be the key, because the port 443 is not the default for plain HTTP.
    recent: Mutex<Vec<(String, Loading)>>,
}

/// The endpoints of one registry, for all tasks that need them. Tasks that need another registry do not wait.
type Loading = Arc<OnceCell<Arc<RegistryEndpoints>>>;

impl EndpointCache {
    pub(crate) fn new(options: RegistryOptions) -> Self {
        Self {
            options: Arc::new(options),
            recent: Mutex::default(),
        }
    }

    pub(crate) fn options(&self) -> &RegistryOptions {
        &self.options
    }

    /// Returns the endpoints of `registry`. Reads the settings for the registry, and sends no request.
    pub(crate) async fn of(&self, registry: &str) -> Result<Arc<RegistryEndpoints>, Error> {
        let loading = self.entry(registry);
        let load = || {
            let (options, name) = (Arc::clone(&self.options), registry.to_owned());
            blocking(move || RegistryEndpoints::load(&name, &options).map(Arc::new))
        };
        Ok(Arc::clone(loading.get_or_try_init(load).await?))
    }

    fn entry(&self, registry: &str) -> Loading {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let known = recent.iter().position(|(name, _)| name == registry);
        let entry = match known {
            Some(index) => recent.remove(index),
            None => (registry.to_owned(), Loading::default()),
        };
        let loading = Arc::clone(&entry.1);
        recent.push(entry);
        if recent.len() > LIMIT {
            recent.remove(0);
        }
        loading
    }
}

#[cfg(test)]
#[path = "tests/cache.rs"]
mod tests;
