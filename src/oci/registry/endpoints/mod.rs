//! Endpoints: where requests go. A registry is served by its mirrors and by itself; each of them is an
//! endpoint.

mod availability;
mod base_url;
mod cache;
mod candidates;
mod endpoint;
mod handshake;
mod refused;
mod registry_endpoints;
mod transport;
mod turns;

pub(super) use cache::EndpointCache;
pub(super) use candidates::{Candidates, SkippedMirrors};
pub(super) use endpoint::Endpoint;
pub(super) use registry_endpoints::RegistryEndpoints;
pub(super) use turns::Turn;
