//! Credentials: finding them and storing them.
//!
//! The first of these sources that knows the registry decides:
//!
//! 1. the credentials that code gives for this registry alone;
//! 2. [`CredentialSource::explicit`];
//! 3. [`CredentialSource::provider`], which is the last source for a client that is isolated from its environment;
//! 4. the variables `WASMCLOUD_OCI_REGISTRY_USER` and `WASMCLOUD_OCI_REGISTRY_PASSWORD`, for the registry
//!    in `WASMCLOUD_OCI_REGISTRY` alone, as in wasmCloud's host;
//! 5. [`CredentialSource::registry_config`], or else the file in `REGISTRY_AUTH_FILE`. If one of them is given, the
//!    files below are not read;
//! 6. Docker's `config.json`, in `$DOCKER_CONFIG` or `~/.docker`;
//! 7. Podman's `auth.json`, in `$XDG_RUNTIME_DIR/containers`, then in `containers` of
//!    `$XDG_CONFIG_HOME` or `~/.config`.
//!
//! Within a file, the helper in `credHelpers`, or else in `credsStore`, is asked first. Then the most specific entry of
//! `auths` is used: an entry for `registry/namespace` has priority over one for `registry`, as in Podman. A registry is
//! found under all spellings of its name: `ghcr.io:443` is `ghcr.io`, and `index.docker.io` and
//! `https://index.docker.io/v1/` are `docker.io`. A variable with an empty value counts as unset.
//!
//! Files are read as Docker reads them: `null` counts as absent, and the names of fields may be in any case. In an
//! entry with several kinds of credentials, `registrytoken` has priority over `identitytoken`, and this over `auth`.

mod entry;
mod file;
mod found;
mod helper_program;
mod keep;
mod keys;
mod places;
mod provider;
mod secrets;
mod source;
mod text;
mod writing;

pub(in crate::oci) use found::Found;
pub use provider::{CredentialProvider, CredentialRequest, ProvidedCredentials};
pub use secrets::Credentials;
pub use source::CredentialSource;
