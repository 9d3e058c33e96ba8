//! The harness of the tests: real registries and a clean environment for the command.
//!
//! A test that needs nothing special pushes to [`shared_registry`], under a [`unique`] name. A test that needs
//! its own set-up, reads the access log or damages stored content starts a [`Registry`]. A test about a bad
//! network puts a [`proxy`] before either. Each test runs the command in an [`Environment`] of its own, so that
//! tests can run side by side.

mod api_registry;
pub(crate) mod archives;
pub(crate) mod certificates;
mod create_arguments;
mod environment;
pub(crate) mod forwarder;
mod invocation;
#[cfg(target_os = "linux")]
mod lock_attempts;
mod patience;
pub(crate) mod properties;
pub(crate) mod proxy;
mod registry;
pub(crate) mod schemas;
mod server;
mod shared;
pub(crate) mod sigstore;
mod terminal;
mod tests;
mod token_service;
mod tools;
mod unprivileged;
mod watcher;

pub(crate) use api_registry::ApiRegistry;
pub(crate) use create_arguments::create_arguments;
pub(crate) use environment::{Environment, Outcome};
pub(crate) use invocation::Invocation;
#[cfg(target_os = "linux")]
pub(crate) use lock_attempts::LockAttempts;
pub(crate) use patience::{LIMIT, block_on, ended, wait_until};
pub(crate) use registry::Registry;
pub(crate) use server::{Answer, Asked, Server};
pub(crate) use shared::{shared_registry, unique};
pub(crate) use terminal::Terminal;
pub(crate) use token_service::{Rules, TokenService, User};
pub(crate) use tools::tool;
pub(crate) use unprivileged::Unprivileged;
