//! Finding out what belongs into a lock.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::Digest;
use crate::oci::Reference;

use super::super::Client;
use super::super::error::Error;
use super::{Lock, Locked};

/// How many references are worked on at a time.
const AT_A_TIME: usize = 4;

impl Client {
    /// Finds out what `references` stand for now, and who published that. Claims are verified, and asked of
    /// the trust policy and of the pins; nothing is pinned.
    ///
    /// Archives whose manifests do not carry their claims are downloaded and verified as a whole, four at
    /// a time. The first failure ends it.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    pub async fn lock(&self, references: &[Reference]) -> Result<Lock, Error> {
        let providers = references.iter().cloned().map(|reference| {
            let client = self.clone();
            async move { client.provider(reference).await }
        });
        // Collected first: the stream must not borrow from the caller.
        let providers: Vec<_> = providers.collect();
        stream::iter(providers)
            .buffered(AT_A_TIME)
            .try_collect::<Vec<Locked>>()
            .await
            .map(Lock::from_iter)
    }

    /// The digests that `references` stand for now, in their order. A request for each, and nothing is
    /// downloaded.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry.
    pub async fn digests(&self, references: &[Reference]) -> Result<Vec<Digest>, Error> {
        let digests = references.iter().cloned().map(|reference| {
            let client = self.clone();
            async move { Ok(client.resolve(&reference).await?.digest) }
        });
        let digests: Vec<_> = digests.collect();
        stream::iter(digests)
            .buffered(AT_A_TIME)
            .try_collect()
            .await
    }

    #[tracing::instrument(name = "lock", skip_all, fields(%reference))]
    async fn provider(&self, reference: Reference) -> Result<Locked, Error> {
        // What an image index stands for differs between machines: its own digest is locked.
        let digest = self.resolve(&reference).await?.digest;
        let pinned = reference.with_digest(digest.clone());
        let claims = self.summarize(&pinned, false).await?.summary.claims;
        // A tag may have had a higher revision.
        self.ask_trust(&reference, &claims).await?;
        Ok(Locked {
            reference,
            digest,
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            version: claims.metadata().version.clone(),
            revision: claims.revision(),
        })
    }
}
