//! The hosts that serve a registry, by containerd's convention (its `docs/hosts.md`): mirrors in order, then
//! the registry itself.
//!
//! ```text
//! <directory>/ghcr.io/hosts.toml            for one registry
//! <directory>/ghcr.io_8443_/hosts.toml      for one with a port; `ghcr.io:8443` is read too
//! <directory>/ghcr.io/ca.crt                without a hosts.toml, Docker's layout: authorities,
//! <directory>/ghcr.io/client.cert           a client certificate,
//! <directory>/ghcr.io/client.key            and its key
//! <directory>/_default/hosts.toml           for all other registries
//! ```
//!
//! Differences from containerd: a malformed file is an error, while containerd ignores it; without `server`, the
//! `capabilities` at the top of the file apply to the registry itself; `dial_timeout` is not read; there is a warning
//! about unknown keys; and `ghcr.io:443` also finds the entry of `ghcr.io`. As in containerd, a redirected request has
//! the same headers, except for HTTP credentials.

mod find;
mod host;
mod hosts_toml;
#[cfg(test)]
mod tests;
mod unknown_keys;

pub(super) use find::{check, find};
pub use host::ClientCertificate;
pub(super) use host::{Capability, Host};
