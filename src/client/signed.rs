//! Signing statements about manifests with Sigstore, and attaching them.

use std::time::SystemTime;

use crate::content::{Descriptor, Digest};
use crate::oci::Reference;

use super::attachments::{Attaching, Attachment, Prepared};
use super::client::Client;
use super::error::Error;
use super::lookup::Storage;
use super::signing::{Predicate, SignedBundle, SigningError, SigningSession, SigstoreSigner};
use super::sigstore::{BUNDLE_TYPE, SigstoreIdentity};

/// The annotations on the manifest of a bundle (Sigstore bundle specification, "OCI referrers").
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// A statement that was signed, verified and attached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attested {
    /// The digest of the manifest of the bundle.
    pub digest: Digest,
    /// The digest of the manifest that the statement is about.
    pub subject: Digest,
    /// The identity that signed, the time, and the entry in the transparency log. They were verified against the trusted
    /// root of the instance.
    pub identity: SigstoreIdentity,
}

/// Signs statements about the manifests of one repository or image layout.
pub(super) struct Signing<'a> {
    client: &'a Client,
    reference: &'a Reference,
    session: tokio::sync::Mutex<SigningSession>,
}

impl<'a> Signing<'a> {
    /// Reads the files of the instance, and gets a token. Nothing is signed yet.
    pub(super) async fn begin(
        client: &'a Client,
        reference: &'a Reference,
        signer: &SigstoreSigner,
    ) -> Result<Self, Error> {
        let session = SigningSession::begin(&client.registries, signer).await;
        Ok(Self {
            client,
            reference,
            session: session.map_err(unsigned(reference))?.into(),
        })
    }

    /// Signs a manifest as `cosign sign` does, and attaches the signature.
    pub(super) async fn sign(
        &self,
        storage: &dyn Storage,
        manifest: &Descriptor,
    ) -> Result<Attested, Error> {
        let signature = Predicate::signature().map_err(unsigned(self.reference))?;
        self.attest_as(storage, manifest, &signature, None).await
    }

    /// Signs a statement about a manifest, and attaches it.
    pub(super) async fn attest(
        &self,
        storage: &dyn Storage,
        manifest: &Descriptor,
        predicate: &Predicate,
    ) -> Result<Attested, Error> {
        let name = match self.reference {
            Reference::Registry(place) => {
                Some(format!("{}/{}", place.registry(), place.repository()))
            }
            Reference::Layout(_) => None,
        };
        self.attest_as(storage, manifest, predicate, name.as_deref())
            .await
    }

    async fn attest_as(
        &self,
        storage: &dyn Storage,
        manifest: &Descriptor,
        predicate: &Predicate,
        name: Option<&str>,
    ) -> Result<Attested, Error> {
        let mut session = self.session.lock().await;
        let signed = session.sign(&manifest.digest, name, predicate).await;
        let SignedBundle { bytes, identity } = signed.map_err(unsigned(self.reference))?;
        let bundle = Attachment::bytes(bytes, BUNDLE_TYPE)
            .annotation(CONTENT, "dsse-envelope")
            .annotation(PREDICATE, predicate.predicate_type())
            .embedded();
        let prepared = Prepared::new(self.client, &bundle, SystemTime::now()).await?;
        let attaching = Attaching::new(self.client, storage, manifest);
        let attached = attaching.attach_new(&prepared).await?;
        Ok(Attested {
            digest: attached.digest,
            subject: attached.subject,
            identity,
        })
    }
}

/// Returns a function that adds the reference to a signing error.
fn unsigned(reference: &Reference) -> impl Fn(SigningError) -> Error {
    let reference = reference.to_string();
    move |source| Error::Signing {
        reference: reference.clone(),
        source,
    }
}
