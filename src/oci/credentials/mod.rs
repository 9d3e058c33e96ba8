//! Credentials: where they are found, and where they are kept.
//!
//! The first of these that knows the registry decides:
//!
//! 1. what is given in code for this registry alone;
//! 2. [`CredentialSource::explicit`];
//! 3. [`CredentialSource::provider`], after which a client that is isolated from its environment looks nowhere else;
//! 4. the variables `WASMCLOUD_OCI_REGISTRY_USER` and `WASMCLOUD_OCI_REGISTRY_PASSWORD`, for the registry
//!    in `WASMCLOUD_OCI_REGISTRY` alone, as in wasmCloud's host;
//! 5. [`CredentialSource::registry_config`], or else the file in `REGISTRY_AUTH_FILE`: with either, none
//!    of the files below is read;
//! 6. Docker's `config.json`, in `$DOCKER_CONFIG` or `~/.docker`;
//! 7. Podman's `auth.json`, in `$XDG_RUNTIME_DIR/containers`, then in `containers` of
//!    `$XDG_CONFIG_HOME` or `~/.config`.
//!
//! Within a file, the helper of `credHelpers`, or else of `credsStore`, is asked first. Then the most
//! specific entry of `auths` is used: one for `registry/namespace` goes before one for `registry`, as in
//! Podman. A registry is found under all spellings of its name: `ghcr.io:443` is `ghcr.io`, and
//! `index.docker.io` and `https://index.docker.io/v1/` are `docker.io`. A variable with an empty value
//! counts as unset.
//!
//! Files are read as Docker reads them: `null` is nothing, and the names of fields may be in any case. An entry with
//! several kinds of credentials counts as `registrytoken`, else as `identitytoken`, else as `auth`.

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
