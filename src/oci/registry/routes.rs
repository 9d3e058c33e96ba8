//! The hosts that a registry is reached at: which of them is asked for what, and in which order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::content::ErrorKind;

use super::super::error::Error;
use super::super::hosts::{self, Capability};
use super::RegistryOptions;
use super::retry::whole;
use super::transport::Transport;

/// How long a mirror is left alone that did not answer, or not with what it was asked for.
const AVOIDED: Duration = Duration::from_secs(60);

/// The way to one host.
pub(super) struct Route {
    capabilities: Vec<Capability>,
    patient: Arc<Transport>,
    /// The same for as long as there is another host to ask.
    quick: Arc<Transport>,
    failed: Mutex<Option<Instant>>,
}

impl Route {
    /// Another host is asked instead: this one failed.
    pub(super) fn failed(&self, error: &Error) {
        let host = self.patient.name();
        tracing::info!("{}; the next host is asked instead of {host}", whole(error));
        if matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::NotVerified
        ) {
            self.avoid();
        }
    }

    /// What this host gave had another digest than it should.
    pub(super) fn lied(&self, what: &str) {
        let host = self.patient.name();
        tracing::warn!("{host} gave something else for the {what}; it is not asked for a while");
        self.avoid();
    }

    fn avoid(&self) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(Instant::now());
    }

    fn is_avoided(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < AVOIDED)
    }
}

/// A host, and how it is asked.
pub(super) type Way = (Arc<Route>, Arc<Transport>);

fn patient(route: &Arc<Route>) -> Way {
    (Arc::clone(route), Arc::clone(&route.patient))
}

/// The ways to one registry.
pub(super) struct Routes {
    registry: String,
    /// In the order in which hosts are asked.
    routes: Vec<Arc<Route>>,
}

impl Routes {
    /// Reads what is configured for `registry`. Blocks; contacts nobody.
    pub(super) fn load(registry: &str, options: &RegistryOptions) -> Result<Self, Error> {
        let hosts = hosts::find(registry, options.hosts_directory.as_deref())?;
        let routes = hosts.into_iter().map(|host| {
            let patient = Transport::new(registry, &host, options)?;
            Ok(Arc::new(Route {
                capabilities: host.capabilities,
                quick: Arc::new(patient.quick()),
                patient: Arc::new(patient),
                failed: Mutex::default(),
            }))
        });
        Ok(Self {
            registry: registry.to_owned(),
            routes: routes.collect::<Result<_, Error>>()?,
        })
    }

    /// The mirrors to ask, in order, each quickly; and who is asked last, with patience.
    pub(super) fn readable(&self, capability: Capability) -> Result<(Vec<Way>, Way), Error> {
        let mut able: Vec<_> = self.able(capability).collect();
        let last = able.pop().ok_or_else(|| self.no_host(capability))?;
        let mirrors = able.into_iter().filter(|route| !route.is_avoided());
        let mirrors = mirrors.map(|route| (Arc::clone(route), Arc::clone(&route.quick)));
        Ok((mirrors.collect(), patient(last)))
    }

    /// The one host that takes content: what a push needs must not be spread over several.
    pub(super) fn writable(&self) -> Result<Way, Error> {
        let first = self.able(Capability::Push).next();
        first
            .map(patient)
            .ok_or_else(|| self.no_host(Capability::Push))
    }

    fn able(&self, capability: Capability) -> impl Iterator<Item = &Arc<Route>> {
        let routes = self.routes.iter();
        routes.filter(move |route| route.capabilities.contains(&capability))
    }

    fn no_host(&self, capability: Capability) -> Error {
        Error::NoHost {
            registry: self.registry.clone(),
            capability: capability.name(),
        }
    }
}
