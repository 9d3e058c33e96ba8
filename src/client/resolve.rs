//! Resolve: what references stand for now, as one digest or as a lock.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Descriptor, Digest};
use crate::oci::Reference;

use super::admission::Admission;
use super::client::Client;
use super::error::Error;
use super::lock::{Lock, Locked, LockedIdentity};
use super::lookup::{Resolution, named, read_storage};
use super::options::PullPolicy;
use super::require::require_name;

/// How many references are resolved or locked at the same time.
const AT_ONCE: usize = 4;

impl Client {
    /// Returns the descriptor of the manifest, or of the image index, that `reference` stands for now.
    ///
    /// This sends one request, even if the cache has an answer. With [`PullPolicy::Never`], the cache is asked instead.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry; [`Error::Unnamed`]; [`Error::NotCached`] with [`PullPolicy::Never`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn resolve(&self, reference: &Reference) -> Result<Descriptor, Error> {
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let store = read_storage(self, reference).await?;
        if self.pull == PullPolicy::Never {
            let resolution = Resolution::new(self, store.as_ref(), reference).await?;
            return Ok(resolution.descriptor);
        }
        Ok(store.resolve(&require_name(reference)?).await?)
    }

    /// Returns the digests that `references` stand for now, in their order. Each reference is
    /// [resolved](Self::resolve), and nothing is downloaded.
    ///
    /// # Errors
    ///
    /// As for [`resolve`](Self::resolve).
    pub async fn digests(&self, references: &[Reference]) -> Result<Vec<Digest>, Error> {
        let digests = references.iter().cloned().map(|reference| {
            let client = self.clone();
            async move { Ok(client.resolve(&reference).await?.digest) }
        });
        // Collected first: the stream must not borrow from the caller.
        let digests: Vec<_> = digests.collect();
        stream::iter(digests).buffered(AT_ONCE).try_collect().await
    }

    /// Returns a lock with the digests that `references` stand for now, and the publishers. The claims are verified,
    /// and compared with the trust policy and the pins. Nothing is pinned.
    ///
    /// A reference with a tag and a digest gets an entry for its tag, with that digest.
    ///
    /// Archives whose manifests do not carry their claims are downloaded and verified as a whole, at most
    /// four at the same time. The error is that of the first reference that fails;
    /// [`lock_each`](Self::lock_each) returns all errors.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    pub async fn lock(&self, references: &[Reference]) -> Result<Lock, Error> {
        let locked = self.lock_each(references).await.into_iter();
        Ok(locked.collect::<Result<Vec<_>, _>>()?.into_iter().collect())
    }

    /// Returns an entry of a lock for each of `references`, in their order, or the error of that reference. Does what
    /// [`lock`](Self::lock) does.
    pub async fn lock_each(&self, references: &[Reference]) -> Vec<Result<Locked, Error>> {
        self.renew_each(&Lock::default(), references).await
    }

    /// Returns new entries for a lock, as [`lock_each`](Self::lock_each) does. Where several Sigstore identities vouch for
    /// a manifest, the entry keeps the one that it has in `known`. An identity in `known` is asked for even where the
    /// trust policy demands none.
    pub async fn renew_each(
        &self,
        known: &Lock,
        references: &[Reference],
    ) -> Vec<Result<Locked, Error>> {
        let providers = references.iter().cloned().map(|reference| {
            let mut client = self.clone();
            client.preferred = known
                .known_identity(&reference.unpinned())
                .cloned()
                .map(Arc::new);
            async move { lock_one(&client, reference).await }
        });
        // Collected first: the stream must not borrow from the caller.
        let providers: Vec<_> = providers.collect();
        stream::iter(providers).buffered(AT_ONCE).collect().await
    }
}

#[tracing::instrument(name = "lock", skip_all, fields(%reference))]
async fn lock_one(client: &Client, reference: Reference) -> Result<Locked, Error> {
    // An image index stands for different manifests on different machines, so the digest of the index is locked.
    let digest = client.resolve(&reference).await?.digest;
    let pinned = reference.and_digest(digest.clone());
    let summarized = client.summarize(&pinned, false).await?;
    let identity = summarized.identity.as_ref().map(LockedIdentity::from);
    let claims = summarized.summary.claims;
    // Pins compare revisions for each tag, so the check needs the reference with its tag.
    let (manifest, rotation) = (summarized.digest, summarized.rotation);
    let admission = Admission::new(client, &reference, manifest, rotation);
    admission.check(&claims).await?;
    Ok(Locked {
        // A lock has one entry for a tag, whether a digest is written after the tag or not.
        reference: reference.unpinned(),
        digest,
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        version: claims.metadata().version.clone(),
        revision: claims.revision(),
        identity,
    })
}
