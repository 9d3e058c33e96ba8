//! Endpoints: the hosts to which requests are sent. The mirrors of a registry and the registry itself are endpoints.

mod availability;
mod base_url;
mod cache;
mod candidates;
mod endpoint;
mod exchange;
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
