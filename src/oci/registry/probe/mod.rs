//! Probes: small requests that find out what an endpoint is and what it can do. Each request is sent once.

mod endpoint_probe;
mod greeting;

pub(crate) use endpoint_probe::Probe;
pub(crate) use greeting::{Greeting, Wants};
