//! Looking up the manifest of a reference, the first step of every operation that reads an archive.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use crate::archive::{self, Target, VerifiedClaims};
use crate::cache::{Executable, program_name};
use crate::content::{Digest, ErrorKind, ReadStorage, Step};
use crate::oci::{Artifact, Reference, choose_from_index, media_type};

use super::super::about::about;
use super::super::admission::Admission;
use super::super::client::{Client, Turn, note_digest};
use super::super::error::Error;
use super::super::freshness::Freshness;
use super::archive::CachedArchive;
use super::describe::provider_in;
use super::manifest::held;
use super::origin::Origin;
use super::record::{self, Confirmation, Head};
use super::resolution::Resolution;
use super::storage::{named, read_storage};

/// A reference whose manifest is known and in the cache. It holds a turn of the client until it is dropped.
pub(in crate::client) struct Lookup {
    pub(super) origin: Origin,
    pub(in crate::client) artifact: Artifact,
    /// When it was confirmed that the reference stands for this manifest.
    pub(in crate::client) freshness: Freshness,
    /// Whether the registry or the layout has answered.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "only the command shows what is attached")
    )]
    pub(in crate::client) answered: bool,
    confirmation: Option<Confirmation>,
    admission: Admission,
    /// The image index from which the manifest was chosen.
    index: Option<Digest>,
    _turn: Turn,
}

impl Lookup {
    /// Looks up `reference` as the pull policy of `client` demands. Of an image index, the manifest for
    /// `target` is chosen.
    ///
    /// The future is boxed here, so that it is compiled once. Each verb, in each program that uses it, would otherwise
    /// compile it again.
    pub(in crate::client) fn start<'a>(
        client: &'a Client,
        reference: &'a Reference,
        target: &'a Target,
    ) -> BoxFuture<'a, Result<Self, Error>> {
        Self::find(client, reference, target).boxed()
    }

    async fn find(client: &Client, reference: &Reference, target: &Target) -> Result<Self, Error> {
        let reference = named(reference).await?.into_owned();
        let origin = Origin {
            client: about(client, &reference),
            store: read_storage(client, &reference).await?,
            reference: reference.clone(),
        };
        let reference = &reference;
        let resolution = Resolution::new(client, origin.store.as_ref(), reference).await?;
        let turn = client.turn().await;
        let descriptor = resolution.descriptor;
        let mut manifest = match resolution.manifest {
            Some(manifest) => manifest,
            None => origin.manifest(&descriptor).await?,
        };
        let mut chosen = descriptor.clone();
        if media_type::is_index(&descriptor.media_type) {
            let name = target.as_str();
            let (architecture, os) = name.split_once('-').unwrap_or((name, ""));
            chosen = choose_from_index(&manifest, os, architecture)?;
            manifest = origin.manifest(&chosen).await?;
        }
        let index = (chosen != descriptor).then(|| descriptor.digest.clone());
        let artifact = Artifact::parse(chosen, manifest, &reference.to_string())?;
        note_digest(&artifact.descriptor().digest);
        let (freshness, answered) = (resolution.freshness, resolution.answered);
        let confirmation = match freshness {
            Freshness::Confirmed { at } => {
                Confirmation::new(client, reference, &descriptor, &artifact, at).await?
            }
            _ => None,
        };
        Ok(Self {
            admission: Admission::of(client, reference, &artifact),
            origin,
            artifact,
            freshness,
            answered,
            confirmation,
            index,
            _turn: turn,
        })
    }

    pub(in crate::client) fn client(&self) -> &Client {
        &self.origin.client
    }

    /// Returns the decision whether the archive may be used.
    pub(in crate::client) fn admission(&self) -> &Admission {
        &self.admission
    }

    pub(in crate::client) fn reference(&self) -> &Reference {
        &self.origin.reference
    }

    pub(in crate::client) fn store(&self) -> &dyn ReadStorage {
        self.origin.store.as_ref()
    }

    pub(in crate::client) fn digest(&self) -> Digest {
        self.artifact.descriptor().digest.clone()
    }

    /// Returns the digest of the bytes of the archive. `None`: it is in several layers.
    pub(in crate::client) fn archive_digest(&self) -> Option<Digest> {
        match self.artifact.layers() {
            [layer] => Some(layer.digest.clone()),
            _ => None,
        }
    }

    /// Returns how many bytes of the archive are not in the cache.
    pub(in crate::client) async fn missing(&self) -> Result<u64, Error> {
        let mut missing = 0;
        for layer in self.artifact.layers() {
            if held(self.client(), &layer.digest).await?.is_none() {
                missing += layer.size;
            }
        }
        Ok(missing)
    }

    /// Returns the executable for `target` with the signed hash `hash` from the cache. If it is not there, returns the
    /// exclusive right to put it there, which ends when the lock is dropped.
    pub(in crate::client) async fn executable_or_slot(
        &self,
        claims: &VerifiedClaims,
        target: &Target,
        hash: &Digest,
    ) -> Result<(Executable, OwnedMutexGuard<()>), Error> {
        let lock = self.client().content_lock(hash).await;
        let cache = self.client().cache()?;
        let name = program_name(claims.name(), target.as_str());
        let executable = cache.executable_or_slot(hash, &name).await?;
        Ok((executable, lock))
    }

    /// Asks whether a Sigstore identity vouches for the manifest, where the policy demands one.
    pub(in crate::client) async fn check_identity(&self) -> Result<(), Error> {
        let asked = self.admission.check_identity(self.index(), self.store());
        asked.await
    }

    /// Returns the image index from which the manifest was chosen.
    pub(in crate::client) fn index(&self) -> Option<&Digest> {
        self.index.as_ref()
    }

    /// Brings the archive into the cache and calls `work` with it. Before that, checks that a Sigstore identity vouches
    /// for the manifest, if the policy demands one.
    ///
    /// When the work fails on the archive, the layers in the cache are compared with their digests. If a layer differs,
    /// the cache removes it, and the work is tried once more with a new download. The work is also tried once more if the
    /// layers were in the cache before. Otherwise the archive itself is bad.
    pub(in crate::client) async fn with_archive<T, F>(
        &self,
        work: impl Fn(CachedArchive) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.check_identity().await?;
        self.with_any_archive(work).await
    }

    /// Brings the archive into the cache and calls `work` with it. No Sigstore identity is demanded.
    pub(in crate::client) async fn with_any_archive<T, F>(
        &self,
        work: impl Fn(CachedArchive) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let archive = self.download().await?;
        let is_new = archive.is_new;
        let error = match work(archive).await {
            Err(error) if may_be_damage(&error) => error,
            outcome => return outcome,
        };
        // Layers that were in the cache before may have been damaged, and replaced by another task since.
        if self.is_intact().await? && is_new {
            return Err(error);
        }
        work(self.download().await?).await
    }

    /// Records three things in the cache: the registry's answer about the tag, because the cache can serve the archive
    /// now; `head`, the start of the archive, if only that was downloaded; and the description of the provider, from
    /// its verified `claims`.
    pub(in crate::client) async fn record(&self, claims: &VerifiedClaims, head: Option<Head>) {
        let (reference, index) = (Some(self.reference()), self.index.as_ref());
        let provider = provider_in(&self.artifact, reference, index, claims, head.is_some());
        let provider = Some((self.digest(), provider));
        record::write(self.client(), self.confirmation.clone(), head, provider).await;
    }

    /// Records only the start of the archive, and only if the tag has not moved. The cache has one start for each tag,
    /// and the archive that is recorded for the tag must keep its own.
    pub(in crate::client) async fn record_head(&self, head: Option<Head>) {
        if !self.confirmation.as_ref().is_some_and(|tag| tag.moved) {
            record::write(self.client(), None, head, None).await;
        }
    }

    /// Brings the layers of the archive into the cache.
    async fn download(&self) -> Result<CachedArchive, Error> {
        let mut layers = Vec::with_capacity(self.artifact.layers().len());
        let mut is_new = true;
        for layer in self.artifact.layers() {
            let cached = self.origin.ensure_cached(layer, Some(Step::Downloading));
            let (held, received) = cached.await?;
            is_new &= received;
            layers.push(held);
        }
        Ok(CachedArchive {
            artifact: self.artifact.clone(),
            is_new,
            layers: layers.into(),
        })
    }

    async fn is_intact(&self) -> Result<bool, Error> {
        let mut intact = true;
        for layer in self.artifact.layers() {
            intact &= self.client().cache()?.is_intact(&layer.digest).await?;
        }
        Ok(intact)
    }
}

/// Returns whether damaged bytes could be the cause of the error. They are not when claims have expired or are not yet
/// valid: the signature of these claims is good.
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
