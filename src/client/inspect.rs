//! Looking at what a reference stands for, and taking one executable out of it.

use std::path::{Path, PathBuf};

use crate::archive::{Contents, Target, VerifiedClaims, extract, verify, verify_file};
use crate::content::{Digest, MeteredReader};
use crate::oci::Reference;

use super::artifact::Cached;
use super::error::Error;
use super::{Client, annotations};

/// What a reference stands for, verified.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive holds.
    pub contents: Contents,
}

impl Client {
    /// Brings the archive into the cache and verifies everything there is to verify.
    ///
    /// That is a look at what `reference` stands for now, and no use of it: who starts without the registry
    /// gets what was [fetched](Self::fetch), [pulled](Self::pull) or [extracted](Self::extract) last.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn inspect(&self, reference: &Reference) -> Result<Inspected, Error> {
        let reference = &self.locked(reference)?;
        let cached = self.cached(reference).await?;
        let digest = cached.artifact.descriptor().digest.clone();
        let contents = self.verified(cached, reference).await?.1;
        Ok(Inspected { digest, contents })
    }

    /// Writes the executable for `target` to `destination`, with the permission bits `mode`, after
    /// everything has been verified.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, %target, digest))]
    pub async fn extract(
        &self,
        reference: &Reference,
        target: &Target,
        destination: &Path,
        mode: u32,
    ) -> Result<Inspected, Error> {
        let reference = &self.locked(reference)?;
        let cached = self.cached(reference).await?;
        let digest = cached.artifact.descriptor().digest.clone();
        let confirmed = cached.confirmed.clone();
        let extract =
            |cached| self.extracted(cached, reference, target, destination.to_owned(), mode);
        let contents = self.repairing(cached, reference, extract).await?;
        self.record(confirmed, None).await;
        Ok(Inspected { digest, contents })
    }

    /// Verifies a cached archive and asks the trust policy.
    pub(super) async fn verified(
        &self,
        cached: Cached,
        reference: &Reference,
    ) -> Result<(Cached, Contents), Error> {
        let verify = |cached| self.verified_once(cached, reference);
        self.repairing(cached, reference, verify).await
    }

    /// The same, if the archive is not damaged in the cache.
    pub(super) async fn verified_once(
        &self,
        cached: Cached,
        reference: &Reference,
    ) -> Result<(Cached, Contents), Error> {
        let (name, place) = (reference.to_string(), reference.clone());
        self.blocking(move |client| {
            let (limits, progress) = (&client.limits, client.progress.as_ref());
            let contents = match cached.only_file()? {
                Some(mut file) => verify_file(&mut file, limits, progress),
                None => {
                    let meter = progress.begin("verifying", cached.size());
                    verify(MeteredReader::new(cached.open()?, meter), limits)
                }
            };
            let contents = contents.map_err(|source| Error::unusable(&name, source))?;
            client.accepted(&cached, &contents.claims, &place)?;
            Ok((cached, contents))
        })
        .await
    }

    /// Asks the trust policy about the claims of a cached archive, once they are those that its manifest
    /// carries, if it carries some. Blocks.
    pub(super) fn accepted(
        &self,
        cached: &Cached,
        claims: &VerifiedClaims,
        reference: &Reference,
    ) -> Result<(), Error> {
        annotations::compare(&cached.artifact, claims, reference)?;
        self.trusted(reference, claims)
    }

    /// Verifies a cached archive, asks the trust policy, and writes one of its executables.
    pub(super) async fn extracted(
        &self,
        cached: Cached,
        reference: &Reference,
        target: &Target,
        destination: PathBuf,
        mode: u32,
    ) -> Result<Contents, Error> {
        let (name, target) = (reference.to_string(), target.clone());
        let place = reference.clone();
        self.blocking(move |client| {
            // Before anything is written: an archive has one token, so these are its claims.
            let claims = cached.claims(&name, &client.limits)?;
            client.accepted(&cached, &claims, &place)?;
            let meter = client.progress.begin("verifying", cached.size());
            let input = MeteredReader::new(cached.open()?, meter);
            extract(input, &target, &destination, mode, &client.limits)
                .map_err(|source| Error::unusable(&name, source))
        })
        .await
    }
}
