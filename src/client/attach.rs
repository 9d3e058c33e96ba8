//! Attach and attest: store content, or a statement that is signed with Sigstore, in a new manifest whose subject is another
//! manifest.

use std::time::SystemTime;

use crate::oci::Reference;

use super::about::about;
use super::attachments::{Attached, Attaching, Attachment, Prepared};
use super::error::Error;
use super::lookup::{Storage, change_layout, named};
use super::require::require_name;
use super::signed::{Attested, Signing};
use super::signing::{Predicate, SigstoreSigner};
use super::{Client, note_digest};

impl Client {
    /// Attaches content to the manifest of `reference`, which may be any kind of artifact. Tools find the attachment by the
    /// referrers API of the OCI distribution specification 1.1. If the registry does not have this API, the client maintains
    /// the list of referrers under a tag.
    ///
    /// Attaching the same content again changes nothing.
    ///
    /// The registry itself resolves `reference`. Mirrors and the cache are not used for that, because they may be out of
    /// date. So the pull policy is ignored.
    ///
    /// ```no_run
    /// use wasmcloud_par::client::Attachment;
    /// use wasmcloud_par::{Client, ClientOptions, Reference};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), wasmcloud_par::Error> {
    /// let client = Client::new(ClientOptions::default())?;
    /// let reference: Reference = "ghcr.io/org/provider:1.0.0".parse()?;
    /// let bill = Attachment::file("provider.cdx.json", "application/vnd.cyclonedx+json");
    /// let attached = client.attach(&reference, &bill).await?;
    /// println!("{}", reference.pinned(&attached.digest));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the layout or the file; [`Error::Unnamed`], [`Error::MediaType`].
    pub async fn attach(
        &self,
        reference: &Reference,
        attachment: &Attachment,
    ) -> Result<Attached, Error> {
        self.attach_unless(reference, attachment, false).await
    }

    /// [Attaches](Self::attach) content. A dry run sends nothing.
    #[tracing::instrument(name = "attach", skip_all, fields(%reference, digest))]
    pub(crate) async fn attach_unless(
        &self,
        reference: &Reference,
        attachment: &Attachment,
        dry_run: bool,
    ) -> Result<Attached, Error> {
        let client = &about(self, reference);
        attachment.check()?;
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        let _turn = self.turn().await;
        let storage = open(client, reference).await?;
        let (subject, _) = storage.stored_manifest(&name).await?;
        let prepared = Prepared::new(client, attachment, SystemTime::now()).await?;
        let attaching = Attaching::new(client, storage.as_ref(), &subject);
        let attached = attaching.attach(&prepared, dry_run).await?;
        storage.finish().await?;
        note_digest(&attached.digest);
        Ok(attached)
    }

    /// Signs a statement about the manifest of `reference` with Sigstore, and attaches it, as `cosign attest` does. The
    /// manifest may be that of any kind of artifact. Each call adds a statement.
    ///
    /// The bundle is verified against the trusted root of the instance before it is attached. The registry itself resolves
    /// `reference`. Mirrors and the cache are not used for that, because they may be out of date.
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
        let storage = open(client, reference).await?;
        let (manifest, _) = storage.stored_manifest(&name).await?;
        let signing = Signing::begin(client, reference, signer).await?;
        let attested = signing.attest(storage.as_ref(), &manifest, predicate);
        let attested = attested.await?;
        storage.finish().await?;
        note_digest(&attested.digest);
        Ok(attested)
    }
}

/// Opens the repository or the layout of `reference`. A layout must exist. The caller finishes the push.
async fn open(client: &Client, reference: &Reference) -> Result<Box<dyn Storage>, Error> {
    Ok(match reference {
        Reference::Registry(place) => {
            Box::new(client.registries.repository(place).without_mirrors())
        }
        Reference::Layout(place) => change_layout(place).await?,
    })
}
