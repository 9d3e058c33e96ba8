//! Registries, machines and files that do not keep to the specification, each as small as it can be.
//! `docs/registries.md` says what is tolerated and why.

mod archives;
mod certificates;
mod challenges;
mod configuration;
mod copying;
mod credential_files;
mod credential_helpers;
mod diagnosing;
mod file_systems;
mod hosts_files;
mod layouts;
mod listing;
mod manifests;
mod proxies;
mod redirects;
mod uploads;
mod words;
