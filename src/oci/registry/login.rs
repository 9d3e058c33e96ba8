//! Asking a registry whether it takes credentials.

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::super::error::Error;
use super::super::hosts::Capability;
use super::Registries;
use super::transport::{Call, Scope};

impl Registries {
    /// Shows the credentials for `registry`, a host with its port when it has one, to the registry, at
    /// its root. `false`: it lets everybody in there, and so has not looked at them.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialsRefused`] when they are wrong, [`Error::CredentialsMissing`] when there are
    /// none, and everything that keeps a registry from answering.
    pub async fn log_in(&self, registry: &str) -> Result<bool, Error> {
        // Mirrors have credentials of their own: the registry itself is the last to be asked.
        let (_, itself) = self.routes(registry).await?.readable(Capability::Resolve)?;
        let (_, transport) = itself.patiently(None);
        let call = Call {
            method: Method::GET,
            url: transport.url("")?,
            registry: registry.to_owned(),
            repository: String::new(),
            scope: Scope::NONE,
            what: "login".to_owned(),
            headers: HeaderMap::new(),
        };
        transport.send(&call).await?;
        Ok(transport.has_introduced(&call).await)
    }
}
