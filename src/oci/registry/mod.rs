//! Registries: the client side of the OCI distribution specification.
//!
//! A process has one [`Registries`], with connections, tokens and credentials. A [`Repository`] is a repository in a
//! registry.
//!
//! ```text
//! catalogue                            the repositories of a registry
//! registries, repository, storage      what callers use
//! unsettled                            what a push checks at its end
//! services                             services that are not registries
//! probe/                               diagnosis of one endpoint
//! referrers_tag                        the list of referrers that clients maintain
//! upload/  download/  tags  referrers  changed  operations on one repository at one endpoint
//! repository_endpoint                  a repository at one endpoint
//! name_list                            lists of names, in pages
//! endpoints/                           where requests go: a registry's mirrors, and itself
//! auth/                                challenges, token services, credentials
//! http/                                requests, answers, retries, TLS
//! options                              time limits, certificates, mirrors
//! ```
//!
//! A file imports only from lines below its own. `endpoints/transport.rs` sends all requests to registries, except those
//! for challenges and tokens, which `auth/` sends. `services` sends requests to other services. `http/retry.rs` decides
//! which requests are repeated.

mod auth;
mod catalogue;
mod changed;
mod download;
mod endpoints;
mod http;
mod name_list;
mod options;
mod probe;
mod referrers;
mod referrers_tag;
mod registries;
mod repository;
mod repository_endpoint;
mod repository_tags;
#[cfg(feature = "sigstore")]
mod services;
mod settings;
mod storage;
mod tags;
mod unsettled;
mod upload;

pub use options::{RegistryOptions, RetryOptions};
pub(crate) use probe::{Greeting, Probe, Wants};
pub use registries::Registries;
pub use repository::Repository;
#[cfg(feature = "sigstore")]
pub(crate) use services::{ServiceCall, Services, service_url};
pub use settings::RegistrySettings;
pub(crate) use upload::OpenUpload;

#[cfg(test)]
mod tests;
