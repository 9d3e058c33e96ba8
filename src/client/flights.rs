//! Fetches that are under way: who wants the same at the same time waits for the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::archive::Target;
use crate::oci::Reference;

use super::error::Error;
use super::{Client, Fetched, PullPolicy};

type Key = (String, Target, PullPolicy);
type Outcome = Result<Fetched, Arc<Error>>;
type Flight = OnceCell<Outcome>;

/// The fetches of one client and its clones.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Key, Weak<Flight>>>);

impl Client {
    /// The executable for `target` of the provider that `reference` stands for.
    ///
    /// By default a tag is asked for each time, so one that was moved is noticed ([`PullPolicy`]); what
    /// has not changed is not downloaded again. Any number of tasks and processes may fetch at once: one
    /// of them works, and all others get what it got. When it is dropped, another one goes on; while it is
    /// kept and not polled, the others wait. The first fetch from a repository pins it to who published
    /// there, unless the trust policy says otherwise.
    ///
    /// An archive that was pushed with its claims and its index on the manifest, as [`push`](Self::push)
    /// does for one that [carries an index](crate::archive::Index), is not downloaded as a whole: the
    /// claims are verified and trusted before anything is downloaded, then the bytes of this one
    /// executable are, and it is handed out once it has the hash that the claims sign. Nothing is known
    /// of what else the archive holds then. Who signed the claims on the manifest is who published the
    /// executable. Where the archive is read that has others inside, [`Error::OtherClaims`] refuses it.
    ///
    /// Without such claims, those at the start of the archive are used if `reference` is a tag; one that
    /// is pinned by a digest accepts nothing but what that digest binds. In every other case, and when
    /// anything is not as it should be, the whole archive is downloaded and verified.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, %target, digest))]
    pub async fn fetch(&self, reference: &Reference, target: &Target) -> Result<Fetched, Error> {
        let reference = &self.locked(reference)?;
        let key = (reference.to_string(), target.clone(), self.pull);
        let flight = self.flights.join(&key);
        let work = async {
            let fetched = self.fetch_once(reference, target).await;
            // Whoever comes from now on has to ask again: a tag may move.
            self.flights.leave(&key, &flight);
            fetched.map_err(Arc::new)
        };
        let fetched = flight.get_or_init(|| work).await.clone();
        drop(flight);
        // Who was alone gets the error itself.
        fetched.map_err(|error| match Arc::try_unwrap(error) {
            Ok(error) => error,
            Err(shared) => Error::Shared(shared),
        })
    }
}

impl Flights {
    fn join(&self, key: &Key) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        // Those whose tasks were all dropped.
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new());
        flights.insert(key.clone(), Arc::downgrade(&flight));
        flight
    }

    fn leave(&self, key: &Key, flight: &Arc<Flight>) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Weak<Flight>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flight));
        if flights.get(key).is_some_and(same) {
            flights.remove(key);
        }
    }
}
