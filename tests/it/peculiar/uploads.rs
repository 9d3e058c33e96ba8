//! Uploads through unusual proxies and registries.
