//! The endpoints of one registry, and the choice of endpoints for a request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::oci::error::Error;
use crate::oci::hosts::{self, Capability, Host};

use super::super::options::RegistryOptions;
use super::candidates::{Candidates, SkippedMirrors};
use super::endpoint::Endpoint;

pub(crate) struct RegistryEndpoints {
    registry: String,
    /// The endpoints in the order in which they are asked. The registry itself is the last one.
    endpoints: Vec<Endpoint>,
    /// The `hosts.toml` that names the endpoints.
    file: String,
    /// Whether the user has been warned that another host receives pushes.
    told: AtomicBool,
}

impl RegistryEndpoints {
    /// Reads the settings for `registry`. Blocks, and sends no request.
    pub(super) fn load(registry: &str, options: &RegistryOptions) -> Result<Self, Error> {
        let options = options.of(registry);
        let options = options.as_ref();
        let hosts = match &options.hosts_directory {
            None if options.isolated => vec![Host::registry()],
            directory => hosts::find(registry, directory.as_deref())?,
        };
        let file = hosts.first().map(Host::name_of_file).unwrap_or_default();
        let endpoints = hosts
            .into_iter()
            .map(|host| Endpoint::new(registry, host, options));
        Ok(Self {
            registry: registry.to_owned(),
            endpoints: endpoints.collect::<Result<_, Error>>()?,
            file,
            told: AtomicBool::new(false),
        })
    }

    /// Returns the endpoints for reading. With a `limit`, the client waits at most that long for the registry, and less
    /// for its mirrors.
    pub(crate) fn readable(
        &self,
        capability: Capability,
        limit: Option<Duration>,
    ) -> Result<Candidates, Error> {
        let mut able: Vec<_> = self.able(capability).collect();
        let last = able.pop().ok_or_else(|| self.no_host(capability))?;
        let mut candidates = Candidates {
            mirrors: Vec::new(),
            last: limit.map_or_else(|| last.clone(), |limit| last.limited_to(limit)),
            paused: Vec::new(),
            skipped: SkippedMirrors::default(),
        };
        for endpoint in able {
            let mirror = match limit {
                Some(_) => endpoint.hurried_mirror(),
                None => endpoint.quick(),
            };
            match endpoint.availability().recent_failure() {
                Some(reason) => {
                    candidates.skipped.add(endpoint.name(), &reason);
                    candidates.paused.push(mirror);
                }
                None => candidates.mirrors.push(mirror),
            }
        }
        Ok(candidates)
    }

    /// Returns the endpoint for pushes. All content of a push is sent to the same endpoint.
    pub(crate) fn writable(&self) -> Result<Endpoint, Error> {
        let first = self.first_writable();
        let first = first.ok_or_else(|| self.no_host(Capability::Push))?;
        if first.is_mirror() && !self.told.swap(true, Ordering::Relaxed) {
            let (registry, host, file) = (&self.registry, first.name(), &self.file);
            tracing::warn!(
                "{host} is changed instead of {registry}: it is the first host with the capability `push` in {file}"
            );
        }
        Ok(first.clone())
    }

    /// Returns the endpoint for pushes, for reading from it. `None`: no host receives pushes.
    pub(crate) fn first_writable(&self) -> Option<&Endpoint> {
        self.able(Capability::Push).next()
    }

    /// Returns the mirrors and the registry itself, with the time limits for a quick attempt.
    pub(crate) fn probes(&self) -> Result<(Vec<Endpoint>, Endpoint), Error> {
        let mut endpoints: Vec<_> = self.endpoints.iter().map(Endpoint::quick).collect();
        let itself = endpoints
            .pop()
            .ok_or_else(|| self.no_host(Capability::Pull))?;
        Ok((endpoints, itself))
    }

    fn able(&self, capability: Capability) -> impl Iterator<Item = &Endpoint> {
        let endpoints = self.endpoints.iter();
        endpoints.filter(move |endpoint| endpoint.can(capability))
    }

    fn no_host(&self, capability: Capability) -> Error {
        Error::NoHost {
            registry: self.registry.clone(),
            capability: capability.name(),
        }
    }
}
