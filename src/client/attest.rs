//! Attest: a statement about a manifest, signed with Sigstore and attached to it.

use crate::oci::Reference;

use super::about::about;
use super::attach::open_place;
use super::error::{Error, require_name};
use super::lookup::named;
use super::signed::{Attested, Signing};
use super::signing::{Predicate, SigstoreSigner};
use super::{Client, note_digest};

impl Client {
    /// Signs a statement about the manifest of `reference` with Sigstore, and attaches it, as `cosign attest` does. The
    /// manifest need not be that of a provider archive. Each call adds a statement.
    ///
    /// The bundle is verified against the trusted root of the instance before it is attached. Mirrors are not asked which
    /// manifest `reference` names, because they may be behind, and neither is the cache.
    ///
    /// ```no_run
    /// use wasmcloud_par::signing::{Predicate, SigstoreSigner, TokenSource};
    /// use wasmcloud_par::{Client, ClientOptions, Reference};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::new(ClientOptions::default())?;
    /// let reference: Reference = "ghcr.io/org/provider:1.0.0".parse()?;
    /// let variable = |name: &str| std::env::var(name).ok();
    /// let signer = SigstoreSigner::new(TokenSource::ambient(variable)?);
    /// let provenance = Predicate::provenance(variable)?;
    /// let attested = client.attest(&reference, &provenance, &signer).await?;
    /// println!("signed by {}", attested.identity.subject);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Signing`], [`Error::Unnamed`], and [`Error`] of the registry or the layout. Nothing is attached then.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn attest(
        &self,
        reference: &Reference,
        predicate: &Predicate,
        signer: &SigstoreSigner,
    ) -> Result<Attested, Error> {
        let client = &about(self, reference);
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        let _turn = self.turn().await;
        let storage = open_place(client, reference).await?;
        let (manifest, _) = storage.stored_manifest(&name).await?;
        let signing = Signing::begin(client, reference, signer).await?;
        let attested = signing.attest(storage.as_ref(), &manifest, predicate);
        let attested = attested.await?;
        storage.finish().await?;
        note_digest(&attested.digest);
        Ok(attested)
    }
}
