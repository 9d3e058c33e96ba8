//! Whether an archive may be used: the lock, the trust policy, and the pin of its repository.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OnceCell;

use crate::archive::{Rotation, VerifiedClaims};
use crate::cache::Pin;
use crate::content::{Digest, ErrorKind, ReadStorage, with_causes};
use crate::oci::{Artifact, Reference};

use super::annotations;
use super::blocking::blocking;
use super::client::Client;
use super::error::Error;
use super::identity_check::IdentityCheck;
use super::lock::LockedIdentity;
use super::sigstore::SigstoreIdentity;
use super::trust::{Candidate, TrustError};

/// Decides whether the archive that a reference stands for may be used. Cheap to clone.
#[derive(Clone)]
pub(super) struct Admission {
    client: Client,
    reference: Reference,
    digest: Digest,
    /// The verified rotation statement on the manifest.
    rotation: Option<Rotation>,
    /// Whether a warning about a refusal that the policy only audits was already logged.
    warned: Arc<AtomicBool>,
    /// The result of the search for a Sigstore identity.
    vouched: Arc<OnceCell<Vouched>>,
}

/// The result of the search for a Sigstore identity that vouches for a manifest.
enum Vouched {
    /// Neither the policy nor the lock demands an identity.
    NotAsked,
    By(SigstoreIdentity),
    /// No identity that the policy allows vouches for the manifest, and the policy only audits.
    Audited,
}

impl Admission {
    /// Returns the decision about the archive whose manifest has this digest and carries this rotation statement.
    pub(super) fn new(
        client: &Client,
        reference: &Reference,
        digest: Digest,
        rotation: Option<Rotation>,
    ) -> Self {
        Self {
            client: client.clone(),
            reference: reference.clone(),
            digest,
            rotation,
            warned: Arc::default(),
            vouched: Arc::default(),
        }
    }

    /// Returns the decision about the archive with this manifest.
    pub(super) fn of(client: &Client, reference: &Reference, artifact: &Artifact) -> Self {
        let digest = artifact.descriptor().digest.clone();
        Self::new(client, reference, digest, annotations::rotation(artifact))
    }

    /// Returns the verified rotation statement on the manifest.
    pub(super) fn rotation(&self) -> Option<&Rotation> {
        self.rotation.as_ref()
    }

    /// Asks whether an archive with these claims may be used. This is done as soon as the claims are known, and
    /// again for the claims of the archive itself.
    pub(super) async fn check(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        let (admission, claims) = (self.clone(), claims.clone());
        blocking(move || admission.check_blocking(&claims)).await
    }

    /// Does what [`check`](Self::check) does. Blocks: it reads a file.
    pub(super) fn check_blocking(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        self.check_lock(claims)?;
        self.client
            .trust
            .check(claims, &self.reference)
            .or_else(|refusal| self.warn_or_refuse(refusal))?;
        self.place_to_pin(claims).map(drop)
    }

    /// Asks whether a Sigstore identity vouches for the manifest, or for the image `index` from which it was chosen,
    /// where the policy demands one. `store` has the manifests and their bundles. The first answer is kept for later
    /// calls.
    pub(super) async fn check_identity(
        &self,
        index: Option<&Digest>,
        store: &dyn ReadStorage,
    ) -> Result<(), Error> {
        let asking = async || match self.identity(index, store).await {
            Ok(None) => Ok(Vouched::NotAsked),
            Ok(Some(identity)) => Ok(Vouched::By(identity)),
            // The lock refuses where the policy audits.
            Err(Error::Trust(refusal)) if self.locked_identity().is_none() => {
                let trust = &self.client.trust;
                trust.warn_or_refuse(Some(&self.reference), refusal)?;
                Ok(Vouched::Audited)
            }
            Err(error) => Err(error),
        };
        self.vouched.get_or_try_init(asking).await.map(drop)
    }

    /// Returns the identity that vouches for the manifest, or `None` where neither the policy nor the lock demands one.
    pub(super) async fn identity(
        &self,
        index: Option<&Digest>,
        store: &dyn ReadStorage,
    ) -> Result<Option<SigstoreIdentity>, Error> {
        let manifests = [&self.digest].into_iter().chain(index).cloned();
        let manifests = manifests.collect();
        let check = IdentityCheck::new(&self.client, &self.reference, manifests, store);
        check.answer().await
    }

    /// Returns the identity that is locked for the reference.
    fn locked_identity(&self) -> Option<&LockedIdentity> {
        self.client.lock.as_ref()?.identity(&self.reference)
    }

    /// Returns whether a Sigstore identity must have signed the manifest.
    pub(super) fn demands_identity(&self) -> bool {
        !self.client.trust.identities(&self.reference).is_empty()
            || self.client.preferred.is_some()
            || self.locked_identity().is_some()
    }

    /// Returns whether the issuer of these claims has handed the repository over to another account.
    pub(super) async fn is_of_former_issuer(&self, claims: &VerifiedClaims) -> Result<bool, Error> {
        let Some(place) = self.client.trust.place_of(&self.reference) else {
            return Ok(false);
        };
        let (client, issuer) = (self.client.clone(), claims.issuer().to_string());
        blocking(move || {
            let known = client.state()?.pin(&place)?;
            Ok(known.is_some_and(|known| known.former.contains_key(&issuer)))
        })
        .await
    }

    /// Returns the identity that vouches for the manifest, if [`check_identity`](Self::check_identity) has found one.
    pub(super) fn vouched_by(&self) -> Option<SigstoreIdentity> {
        match self.vouched.get() {
            Some(Vouched::By(identity)) => Some(identity.clone()),
            _ => None,
        }
    }

    /// Compares the claims with the lock.
    pub(super) fn check_lock(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        match &self.client.lock {
            Some(lock) => Ok(lock.check(&self.reference, claims)?),
            None => Ok(()),
        }
    }

    /// Pins the repository to the publisher of these claims, and remembers their revision and the digest of the
    /// manifest. This is done once the archive or its executable has been verified. Another process may have pinned the
    /// repository since the check, so the claims are compared with the pin again.
    pub(super) async fn pin(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        let (admission, claims) = (self.clone(), claims.clone());
        blocking(move || admission.pin_blocking(&claims)).await
    }

    fn pin_blocking(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        let trust = &self.client.trust;
        // An archive that is used only because the policy audits must not decide what the repository is pinned to.
        let is_audited = matches!(self.vouched.get(), Some(Vouched::Audited));
        if is_audited || trust.check(claims, &self.reference).is_err() {
            return Ok(());
        }
        // Looking first avoids the file lock: nearly always there is nothing to write.
        let Some(Change { place, is_use }) = self.place_to_pin(claims)? else {
            return Ok(());
        };
        let pinned = self.client.state()?.change_pin(&place, |known| {
            Ok::<_, Error>(trust.judge(known, &place, &self.candidate(claims))?)
        });
        match pinned {
            // Without the record, the digest counts as never used once its issuer retires. The archive can be used now.
            Err(Error::Cache(error)) if is_use && error.kind() == ErrorKind::Denied => {
                tracing::debug!(
                    "the use of {} is not recorded: {}",
                    self.reference,
                    with_causes(&error)
                );
            }
            Err(error) => return Err(error),
            Ok(()) if is_use => {}
            Ok(()) => {
                let (issuer, subject) = (claims.issuer(), claims.subject());
                tracing::info!(%issuer, %subject, "{place} is pinned to issuer {issuer} and subject {subject}");
            }
        }
        Ok(())
    }

    /// Returns the change of a pin that these claims need, or `None` if no pin changes.
    fn place_to_pin(&self, claims: &VerifiedClaims) -> Result<Option<Change>, Error> {
        let trust = &self.client.trust;
        let Some(place) = trust.place_of(&self.reference) else {
            return Ok(None);
        };
        let known = self.client.state()?.pin(&place)?;
        match trust.judge(known.as_ref(), &place, &self.candidate(claims)) {
            Ok(changed) => Ok(changed.map(|changed| Change {
                place,
                is_use: known.is_some_and(|known| known.differs_in_uses_only(&changed)),
            })),
            Err(refusal) => self.warn_or_refuse(refusal).map(|()| None),
        }
    }

    /// Returns the decision about these claims and its reasons, and records nothing. Blocks.
    pub(super) fn decide(&self, claims: &VerifiedClaims) -> Result<Decision, Error> {
        let trust = &self.client.trust;
        let repository = trust.place_of(&self.reference);
        let pin = match &repository {
            Some(place) => self.client.state()?.pin(place)?,
            None => None,
        };
        let judged = match &repository {
            Some(place) => trust
                .judge(pin.as_ref(), place, &self.candidate(claims))
                .map(drop),
            None => Ok(()),
        };
        let (mut refusals, mut audited) = (Vec::new(), Vec::new());
        refusals.extend(self.check_lock(claims).err());
        for refusal in [trust.check(claims, &self.reference), judged] {
            match refusal {
                Err(refusal) if self.audits(&refusal) => {
                    audited.push(refusal.into());
                }
                refusal => refusals.extend(refusal.err().map(Error::from)),
            }
        }
        Ok(Decision {
            repository,
            pin,
            refusals,
            audited,
        })
    }

    /// Returns whether an archive with this refusal of an identity is used, because the policy only audits. The audit
    /// does not extend to a locked identity.
    pub(super) fn audits_identity(&self, refusal: &Error) -> bool {
        match refusal {
            Error::Trust(refusal) => self.locked_identity().is_none() && self.audits(refusal),
            _ => false,
        }
    }

    /// Returns whether the policy only audits, so that an archive with this refusal is used.
    fn audits(&self, refusal: &TrustError) -> bool {
        self.client.trust.audits(Some(&self.reference), refusal)
    }

    fn candidate<'a>(&'a self, claims: &'a VerifiedClaims) -> Candidate<'a> {
        Candidate {
            reference: &self.reference,
            claims,
            digest: &self.digest,
            rotation: self.rotation.as_ref(),
        }
    }

    /// Logs a refusal as a warning, once, where the policy only audits. Returns it as an error elsewhere.
    fn warn_or_refuse(&self, refusal: TrustError) -> Result<(), Error> {
        let trust = &self.client.trust;
        let is_audited = self.audits(&refusal);
        if is_audited && self.warned.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        Ok(trust.warn_or_refuse(Some(&self.reference), refusal)?)
    }
}

/// The reasons for or against using an archive.
pub(super) struct Decision {
    /// The name of the repository as it is pinned. `None`: it is never pinned.
    pub(super) repository: Option<String>,
    pub(super) pin: Option<Pin>,
    pub(super) refusals: Vec<Error>,
    /// The refusals that do not count because the policy only audits.
    pub(super) audited: Vec<Error>,
}

/// A pin that changes.
struct Change {
    place: String,
    /// Whether only the list of digests that were used changes.
    is_use: bool,
}
