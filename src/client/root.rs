//! Finding the original error behind errors that only pass it on.

use std::error::Error as StdError;

use crate::archive;
use crate::cache;
use crate::content::{StoreError, is_stopped};
use crate::oci;

use super::error::Error;
use super::lock::LockError;
use super::trust::TrustError;

impl Error {
    /// Returns the original error. It unwraps [`Shared`](Self::Shared), the error of all tasks that wait for one fetch,
    /// and [`Store`](Self::Store) when the storage failed with an error of this type. Match on the root: whether a
    /// failure is wrapped depends on what other tasks do.
    ///
    /// ```
    /// use wasmcloud_par::{Error, trust::TrustError};
    ///
    /// fn is_for_a_person(error: &Error) -> bool {
    ///     matches!(error.root(), Error::Trust(TrustError::IdentityChanged { .. }))
    /// }
    /// ```
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::Shared(error) => error.root(),
            Self::Store(error) => match error.downcast_ref::<Self>() {
                Some(error) => error.root(),
                None => self,
            },
            _ => self,
        }
    }

    /// Returns the refusal of the trust policy or of a pin, if that is the [root](Self::root).
    #[must_use]
    pub fn as_trust(&self) -> Option<&TrustError> {
        match self.root() {
            Self::Trust(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the refusal of the lock, if that is the [root](Self::root).
    #[must_use]
    pub fn as_lock(&self) -> Option<&LockError> {
        match self.root() {
            Self::Lock(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the error of the registry or the image layout, if that is the [root](Self::root). It is the error
    /// of the last attempt ([`oci::Error::root`]).
    #[must_use]
    pub fn as_oci(&self) -> Option<&oci::Error> {
        let error = match self.root() {
            Self::Oci(error) => Some(error),
            Self::Store(error) | Self::WrongContent { source: error, .. } => {
                error.downcast_ref().or_else(|| {
                    let error: &cache::Error = error.downcast_ref()?;
                    stored(error)
                })
            }
            // The error of a registry can come from a transfer into the cache.
            Self::Cache(error) => stored(error),
            _ => None,
        };
        error.map(oci::Error::root)
    }

    /// Returns the error of the cache, if that is the [root](Self::root).
    #[must_use]
    pub fn as_cache(&self) -> Option<&cache::Error> {
        match self.root() {
            Self::Cache(error) => Some(error),
            Self::Store(error) | Self::WrongContent { source: error, .. } => error.downcast_ref(),
            _ => None,
        }
    }

    /// Returns whether the [progress](crate::Progress) of the client stopped the work with
    /// [`Stopped`](crate::progress::Stopped). Then trying again is of no use.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        is_stopped(self)
    }

    /// Returns whether the error concerns only the task in which it arose, because its runtime ended or its work panicked.
    pub(super) fn is_of_one_task(&self) -> bool {
        let of_cache = matches!(self.as_cache(), Some(cache::Error::RuntimeEnded(_)));
        let of_oci = matches!(self.as_oci(), Some(oci::Error::Cancelled { .. }));
        of_cache || of_oci || matches!(self.root(), Self::Cancelled | Self::Abandoned)
    }

    /// Returns what is wrong with the archive, if that is the [root](Self::root).
    #[must_use]
    pub fn as_archive(&self) -> Option<&archive::Error> {
        match self.root() {
            Self::Archive(error) | Self::Unusable { source: error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Returns the error of a registry among the sources of `error`. An error of a storage and an I/O error also contain
/// another error that `source` does not return.
fn stored<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a oci::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<oci::Error>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        if let Some(inner) = inner {
            let inner: &(dyn StdError + 'static) = inner;
            return stored(inner);
        }
        if let Some(stored) = error.downcast_ref::<StoreError>() {
            return stored.downcast_ref();
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
#[path = "tests/root.rs"]
mod tests;
