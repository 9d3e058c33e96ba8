//! What an archive says of itself, without downloading it.

use std::io::Read;
use std::ops::Range;

use crate::archive::{Contents, Target, VerifiedClaims};
use crate::content::{Digest, ErrorKind, ReadStorage};
use crate::oci::Reference;

use super::Client;
use super::artifact::Found;
use super::error::Error;
use super::remote::{Remote, read, whole_instead};

/// What an archive says of itself. Its claims are verified: signature, key types and dates.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The claims.
    pub claims: VerifiedClaims,
    /// The targets whose executables the archive holds, by its index; without one, those that it is
    /// signed for.
    pub targets: Vec<Target>,
    /// Targets that the claims cover and the archive does not hold.
    pub absent: Vec<Target>,
    /// The WIT world, when it was asked for and the archive carries one. It has the hash that the claims
    /// sign.
    pub world: Option<Vec<u8>>,
    /// Whether the whole archive was read and verified, and not just what is here.
    pub everything: bool,
}

impl From<Contents> for Summary {
    fn from(contents: Contents) -> Self {
        Self {
            claims: contents.claims,
            targets: contents.executables.into_keys().collect(),
            absent: contents.absent,
            world: contents.world,
            everything: true,
        }
    }
}

/// What a reference stands for, in short.
#[derive(Debug, Clone)]
pub struct Summarized {
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive says of itself.
    pub summary: Summary,
}

impl Client {
    /// What the archive that `reference` stands for says of itself; with its WIT world, if `world` is
    /// asked for.
    ///
    /// That takes the manifest, when it carries the claims, or the start of the archive, as for
    /// [`fetch`](Self::fetch), and one more request for the world. The executables are neither downloaded
    /// nor verified then: [`inspect`](Self::inspect) does both, as this does for every other archive.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn summarize(&self, reference: &Reference, world: bool) -> Result<Summarized, Error> {
        let reference = &self.locked(reference)?;
        let store = self.read_storage(reference).await?;
        let store = store.as_ref();
        let found = self.find(store, reference).await?;
        let digest = found.artifact.descriptor().digest.clone();
        let remote = self.summarize_remote(store, &found, reference, world);
        let summary = match remote.await? {
            Some(summary) => summary,
            None => {
                let cached = self.whole(store, found, reference).await?;
                self.verified(cached, reference).await?.1.into()
            }
        };
        Ok(Summarized { digest, summary })
    }

    async fn summarize_remote(
        &self,
        store: &dyn ReadStorage,
        found: &Found,
        reference: &Reference,
        world: bool,
    ) -> Result<Option<Summary>, Error> {
        let artifact = &found.artifact;
        if self.missing(artifact).await? == 0 {
            return Ok(None);
        }
        let Some(remote) = self.remote(store, artifact, reference).await? else {
            return Ok(None);
        };
        self.ask_trust(reference, &remote.claims).await?;
        let world = match remote.claims.world().filter(|_| world) {
            Some(hash) => match self.world(store, &remote, hash, reference).await? {
                Some(world) => Some(world),
                None => return Ok(None),
            },
            None => None,
        };
        let holds = |target: &Target| {
            let index = remote.index.as_ref();
            index.is_none_or(|index| index.executable(target).is_some())
        };
        let targets = remote.claims.executables().keys().cloned();
        let (targets, absent) = targets.partition(holds);
        // What the cache holds of another version can be started, and of this one nothing: the start of that
        // one stays.
        let unmoved = found.confirmed.as_ref().is_none_or(|tag| !tag.moved);
        if unmoved {
            self.record(None, remote.head).await;
        }
        Ok(Some(Summary {
            targets,
            absent,
            claims: remote.claims,
            world,
            everything: false,
        }))
    }

    /// The WIT world that has this hash, by the index.
    async fn world(
        &self,
        store: &dyn ReadStorage,
        remote: &Remote,
        hash: &Digest,
        reference: &Reference,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (layer, most) = (&remote.layer, self.limits.world);
        let found = remote.index.as_ref().and_then(|index| {
            let entry = index.world()?;
            let Range { start, end } = entry.range;
            let fits = end < layer.size && end - start <= most;
            (fits && entry.is_within(most, &self.limits)).then_some((index, entry))
        });
        let Some((index, entry)) = found else {
            return Ok(whole_instead(reference, "it has no index with its world"));
        };
        let part = match read(store, layer, entry.range.clone()).await {
            Ok(part) => part,
            Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error.into()),
            Err(error) => return Ok(whole_instead(reference, &error.to_string())),
        };
        let mut world = Vec::new();
        let inflated = index.read(entry, part.as_slice()).read_to_end(&mut world);
        if inflated.is_err() || Digest::of(&world) != *hash {
            let reason = "what its index leads to is not the world that was signed";
            return Ok(whole_instead(reference, reason));
        }
        Ok(Some(world))
    }
}
