//! What tests stand on: real registries and a clean environment for the command.
//!
//! A test that needs nothing special pushes to [`shared_registry`], under a [`unique`] name. One
//! that needs its own set-up, reads the access log or damages what is stored starts a [`Registry`].
//! One whose subject is a bad network puts a [`proxy`] before either.
//! Either way it runs the command in an [`Environment`] of its own, so that tests run side by side.

pub(crate) mod archives;
pub(crate) mod certificates;
mod elsewhere;
mod environment;
pub(crate) mod forwarder;
mod patience;
pub(crate) mod properties;
pub(crate) mod proxy;
mod registry;
mod shared;
mod terminal;
mod tests;
mod token_service;
mod unprivileged;
mod watcher;

pub(crate) use elsewhere::Elsewhere;
pub(crate) use environment::{Environment, Outcome};
pub(crate) use patience::{LIMIT, block_on, ended, wait_until};
pub(crate) use registry::Registry;
pub(crate) use shared::{shared_registry, unique};
pub(crate) use terminal::Terminal;
pub(crate) use token_service::{Rules, TokenService, User};
pub(crate) use unprivileged::Unprivileged;
