//! The settings of one registry.

use std::path::PathBuf;

use crate::oci::credentials::Credentials;
use crate::oci::hosts::ClientCertificate;

/// The settings of one registry that differ from the [`RegistryOptions`](super::RegistryOptions) for all registries.
/// They are only for the registry itself: its mirrors get no credentials and no client certificate from here.
///
/// ```
/// use wasmcloud_par::ClientOptions;
/// use wasmcloud_par::oci::{Credentials, RegistrySettings};
///
/// let github = RegistrySettings::default().credentials(Credentials::basic("host", "…"));
/// let options = ClientOptions::isolated("/var/lib/host")
///     .for_registry("ghcr.io", github)
///     .for_registry("registry.internal:5000", RegistrySettings::default().plain_http(true));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// The credentials for the registry, instead of all other sources. With [`Credentials::Anonymous`], the registry
    /// gets none. Default: the sources of the options.
    pub credentials: Option<Credentials>,
    /// Whether the registry is reached by plain HTTP. Default: as in the options. `false` alone does not make the
    /// client use TLS for a loopback host: that needs another option for TLS.
    pub plain_http: Option<bool>,
    /// PEM files with certificate authorities that are trusted in addition to those of the options. Default: none.
    pub certificate_authorities: Vec<PathBuf>,
    /// The client certificate, instead of the one in the options. Default: the one in the options.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether archives may be read by the tag `latest`. With `false`, reading them fails with
    /// [`Error::LatestRefused`](crate::client::Error::LatestRefused). With `true`,
    /// [`Client::fetch_provider`](crate::client::Client::fetch_provider) also uses this tag for a reference without a
    /// tag. Default: `latest` is treated like any other tag. Pushes and copies to it are always allowed.
    pub allow_latest: Option<bool>,
}

impl RegistrySettings {
    /// Returns the settings for the fields of `RegistryConfig` in `wasmcloud-core` 0.21.
    /// [`registry_settings!`](crate::registry_settings) takes the fields from a value of that type.
    ///
    /// As in `wasmcloud-core`, `allow_insecure` means plain HTTP. In contrast to `wasmcloud-core`, a loopback host
    /// without `additional_ca_paths` is always reached by plain HTTP.
    #[must_use]
    pub fn from_fields(
        auth: Credentials,
        allow_latest: bool,
        allow_insecure: bool,
        additional_ca_paths: &[PathBuf],
    ) -> Self {
        Self {
            credentials: Some(auth),
            plain_http: allow_insecure.then_some(true),
            certificate_authorities: additional_ca_paths.to_vec(),
            client_certificate: None,
            allow_latest: Some(allow_latest),
        }
    }

    /// Sets the credentials for the registry, instead of all other sources.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets whether the registry is reached by plain HTTP.
    #[must_use]
    pub fn plain_http(mut self, plain_http: bool) -> Self {
        self.plain_http = Some(plain_http);
        self
    }

    /// Adds a PEM file with certificate authorities to trust.
    #[must_use]
    pub fn certificate_authority(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificate_authorities.push(path.into());
        self
    }

    /// Sets the client certificate.
    #[must_use]
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// Sets whether archives may be read by the tag `latest`.
    #[must_use]
    pub fn allow_latest(mut self, allow_latest: bool) -> Self {
        self.allow_latest = Some(allow_latest);
        self
    }
}

/// Returns the [`RegistrySettings`](crate::oci::RegistrySettings) for a `wasmcloud_core::RegistryConfig`, version 0.21.
/// The program needs the dependency `wasmcloud-core`. This crate does not depend on it.
///
/// ```
/// # mod wasmcloud_core {
/// #     pub enum RegistryAuth { Basic(String, String), Token(String), Anonymous }
/// #     pub struct RegistryConfig;
/// #     impl RegistryConfig {
/// #         pub fn auth(&self) -> &RegistryAuth { &RegistryAuth::Anonymous }
/// #         pub fn allow_latest(&self) -> bool { false }
/// #         pub fn allow_insecure(&self) -> bool { false }
/// #         pub fn additional_ca_paths(&self) -> &Vec<std::path::PathBuf> {
/// #             const { &Vec::new() }
/// #         }
/// #     }
/// # }
/// use wasmcloud_par::{ClientOptions, registry_settings};
///
/// fn options(config: &wasmcloud_core::RegistryConfig) -> ClientOptions {
///     ClientOptions::default().for_registry("ghcr.io", registry_settings!(config))
/// }
/// ```
#[macro_export]
macro_rules! registry_settings {
    ($config:expr) => {{
        let config = &$config;
        let auth = match config.auth() {
            wasmcloud_core::RegistryAuth::Basic(user, password) => {
                $crate::oci::Credentials::basic(user, password)
            }
            wasmcloud_core::RegistryAuth::Token(token) => {
                $crate::oci::Credentials::RegistryToken(token.clone())
            }
            _ => $crate::oci::Credentials::Anonymous,
        };
        $crate::oci::RegistrySettings::from_fields(
            auth,
            config.allow_latest(),
            config.allow_insecure(),
            config.additional_ca_paths(),
        )
    }};
}
