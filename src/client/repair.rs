//! Archives that were damaged in the cache, in a way that a look at their files does not tell.

use crate::archive;
use crate::content::ErrorKind;
use crate::oci::Reference;

use super::Client;
use super::artifact::{Cached, Found};
use super::error::Error;

impl Client {
    /// Works with a cached archive. When it cannot be used, its layers are read: if one of them is not what
    /// its digest says, it is removed, and everything is tried once more with what the registry has.
    /// Otherwise the archive is like that.
    pub(super) async fn repairing<T, F>(
        &self,
        cached: Cached,
        reference: &Reference,
        work: impl Fn(Cached) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let error = match work(cached.clone()).await {
            Err(error) if may_be_damage(&error) => error,
            outcome => return outcome,
        };
        if self.is_intact(&cached).await? {
            return Err(error);
        }
        let store = self.read_storage(reference).await?;
        let found = Found {
            artifact: cached.artifact,
            confirmed: cached.confirmed,
        };
        let again = self.whole(store.as_ref(), found, reference).await?;
        work(again).await
    }

    async fn is_intact(&self, cached: &Cached) -> Result<bool, Error> {
        let mut intact = true;
        for layer in cached.artifact.layers() {
            intact &= self.cache()?.is_intact(&layer.digest).await?;
        }
        Ok(intact)
    }
}

/// Whether bytes that have changed would explain it. Claims whose signature is good have not.
fn may_be_damage(error: &Error) -> bool {
    use archive::Error::{Expired, NotYetValid};
    match error {
        Error::Unusable { source, .. } => {
            error.kind() == ErrorKind::NotVerified && !matches!(source, Expired(_) | NotYetValid(_))
        }
        Error::Damaged { .. } => true,
        _ => false,
    }
}
