//! Registries: the client side of the OCI distribution specification.
//!
//! A process has one [`Registries`], with connections, tokens and credentials. A [`Repository`] is one
//! repository of one registry.
//!
//! ```text
//! catalogue                            the repositories of a registry
//! registries, repository, storage      what callers use
//! unsettled                            what a push checks at its end
//! probe/                               diagnosis of one endpoint
//! referrers_tag                        the list of referrers that clients maintain
//! upload/  download/  tags  referrers  changed  operations on one repository at one endpoint
//! repository_endpoint                  a repository at one endpoint
//! endpoints/                           where requests go: a registry's mirrors, and itself
//! auth/                                challenges, token services, credentials
//! http/                                requests, answers, retries, TLS
//! options                              time limits, certificates, mirrors
//! ```
//!
//! Imports go downwards only. All requests pass through `endpoints/transport.rs`; `http/retry.rs`
//! decides which of them are repeated.

mod auth;
mod catalogue;
mod changed;
mod download;
mod endpoints;
mod http;
mod options;
mod probe;
mod referrers;
mod referrers_tag;
mod registries;
mod repository;
mod repository_endpoint;
mod settings;
mod storage;
mod tags;
mod unsettled;
mod upload;

pub use options::{RegistryOptions, RetryOptions};
pub(crate) use probe::{Greeting, Probe, Wants};
pub use registries::Registries;
pub use repository::Repository;
pub use settings::RegistrySettings;
pub(crate) use upload::OpenUpload;

#[cfg(test)]
mod tests;
