//! The hosts that a registry is reached at: which of them is asked for what, and in which order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::content::{ErrorKind, whole};

use super::super::error::Error;
use super::super::hosts::{self, Capability};
use super::RegistryOptions;
use super::transport::Transport;

/// How long a mirror is left alone that did not answer, or not with what it was asked for.
const AVOIDED: Duration = Duration::from_secs(60);
/// Who stops waiting for a mirror after that long has found it silent, and has not merely changed their mind.
const SILENCE: Duration = Duration::from_secs(1);

/// The way to one host.
pub(super) struct Route {
    capabilities: Vec<Capability>,
    patient: Arc<Transport>,
    /// The same for as long as there is another host to ask.
    quick: Arc<Transport>,
    failed: Mutex<Option<Failure>>,
}

/// When a host failed, and why.
struct Failure {
    when: Instant,
    why: String,
}

impl Route {
    /// The host, with its port when it has one.
    pub(super) fn name(&self) -> &str {
        self.patient.name()
    }

    /// Whether the host may be asked for that.
    pub(super) fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Another host is asked instead: this one failed.
    pub(super) fn failed(&self, error: &Error) {
        let (host, why) = (self.name(), whole(error));
        tracing::info!("{why}; the next host is asked instead of {host}");
        if matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::NotVerified
        ) {
            self.avoid(why);
        }
    }

    /// Waits for this host. When somebody stops that because it takes too long, the host has failed: it is
    /// not to take their time again.
    pub(super) async fn while_waiting<T>(&self, asked: impl Future<Output = T>) -> T {
        let mut waiting = Waiting {
            route: self,
            since: Instant::now(),
            answered: false,
        };
        let answer = asked.await;
        waiting.answered = true;
        answer
    }

    /// What this host gave had another digest than it should.
    pub(super) fn lied(&self, what: &str) {
        let host = self.name();
        tracing::warn!("{host} gave something else for the {what}; it is not asked for a while");
        self.avoid(format!("it gave something else for the {what}"));
    }

    fn avoid(&self, why: String) {
        let when = Instant::now();
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(Failure { when, why });
    }

    /// It answers again.
    pub(super) fn is_back(&self) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = None;
    }

    /// Why this host is left alone, if it is.
    pub(super) fn avoided(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failed.as_ref();
        let recent = failed.filter(|failed| failed.when.elapsed() < AVOIDED);
        recent.map(|failed| failed.why.clone())
    }

    /// Asked quickly, because there is another host to ask; even more so `in_haste`.
    pub(super) fn quickly(self: &Arc<Self>, in_haste: bool) -> Way {
        let transport = match in_haste {
            true => {
                let retry = self.patient.retry.quick_in_haste();
                Arc::new(self.patient.with_retry(retry))
            }
            false => Arc::clone(&self.quick),
        };
        (Arc::clone(self), transport)
    }

    /// Asked with all patience there is; with no more than `at_most`, when that is given.
    pub(super) fn patiently(self: &Arc<Self>, at_most: Option<Duration>) -> Way {
        let transport = match at_most {
            Some(patience) => {
                let retry = self.patient.retry.in_haste(patience);
                Arc::new(self.patient.with_retry(retry))
            }
            None => Arc::clone(&self.patient),
        };
        (Arc::clone(self), transport)
    }
}

/// Somebody waits for a host.
struct Waiting<'a> {
    route: &'a Route,
    since: Instant,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waited = self.since.elapsed();
        if !self.answered && waited >= SILENCE {
            let seconds = waited.as_secs_f32();
            let why =
                format!("no answer within {seconds:.1} seconds, then nobody waited any longer");
            self.route.avoid(why);
        }
    }
}

/// A host, and how it is asked.
pub(super) type Way = (Arc<Route>, Arc<Transport>);

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
                quick: Arc::new(patient.with_retry(patient.retry.quick())),
                patient: Arc::new(patient),
                failed: Mutex::default(),
            }))
        });
        Ok(Self {
            registry: registry.to_owned(),
            routes: routes.collect::<Result<_, Error>>()?,
        })
    }

    /// The mirrors that there are for something, in order, and who is asked last.
    pub(super) fn readable(
        &self,
        capability: Capability,
    ) -> Result<(Vec<Arc<Route>>, Arc<Route>), Error> {
        let mut able: Vec<_> = self.able(capability).map(Arc::clone).collect();
        let last = able.pop().ok_or_else(|| self.no_host(capability))?;
        Ok((able, last))
    }

    /// The one host that takes content: what a push needs must not be spread over several.
    pub(super) fn writable(&self) -> Result<Way, Error> {
        let first = self.able(Capability::Push).next();
        first
            .map(|route| route.patiently(None))
            .ok_or_else(|| self.no_host(Capability::Push))
    }

    /// Every host, each to be asked quickly: the mirrors, and the registry itself.
    pub(super) fn apart(&self) -> Result<(Vec<Way>, Way), Error> {
        let routes = self.routes.iter();
        let mut ways: Vec<_> = routes.map(|route| route.quickly(false)).collect();
        let itself = ways.pop().ok_or_else(|| self.no_host(Capability::Pull))?;
        Ok((ways, itself))
    }

    /// The host that takes content, to be asked quickly.
    pub(super) fn quickly_writable(&self) -> Result<Way, Error> {
        Ok(self.writable()?.0.quickly(false))
    }

    fn able(&self, capability: Capability) -> impl Iterator<Item = &Arc<Route>> {
        let routes = self.routes.iter();
        routes.filter(move |route| route.can(capability))
    }

    fn no_host(&self, capability: Capability) -> Error {
        Error::NoHost {
            registry: self.registry.clone(),
            capability: capability.name(),
        }
    }
}
