//! Whether an archive may be used: the lock, the trust policy, and the pin of its repository.

use crate::archive::VerifiedClaims;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;

/// The decision whether the archive that a reference stands for may be used.
pub(super) struct Admission<'a> {
    client: &'a Client,
    reference: &'a Reference,
}

impl<'a> Admission<'a> {
    pub(super) fn new(client: &'a Client, reference: &'a Reference) -> Self {
        Self { client, reference }
    }

    /// Asks whether an archive with these claims may be used. This is done as soon as the claims are known, and
    /// again for the claims of the archive itself.
    pub(super) async fn check(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        let (reference, claims) = (self.reference.clone(), claims.clone());
        self.client
            .blocking(move |client| Admission::new(client, &reference).check_blocking(&claims))
            .await
    }

    /// Does what [`check`](Self::check) does. Blocks: it reads a file.
    pub(super) fn check_blocking(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        if let Some(lock) = &self.client.lock {
            lock.check(self.reference, claims)?;
        }
        self.client.trust.check(claims, self.reference)?;
        self.place_to_pin(claims).map(drop)
    }

    /// Pins the repository to the publisher of these claims, and remembers their revision. This is done once the
    /// archive or its executable has been verified. Another process may have pinned the repository since the
    /// check, so the pin is asked again.
    pub(super) async fn pin(&self, claims: &VerifiedClaims) -> Result<(), Error> {
        let (reference, claims) = (self.reference.clone(), claims.clone());
        self.client
            .blocking(move |client| {
                // Nearly always there is nothing to write, and so no lock to wait for.
                let Some(place) = Admission::new(client, &reference).place_to_pin(&claims)? else {
                    return Ok(());
                };
                client.cache()?.pin(&place, |known| {
                    Ok::<_, Error>(client.trust.judge(known, &place, &reference, &claims)?)
                })?;
                let (issuer, subject) = (claims.issuer(), claims.subject());
                tracing::info!(%issuer, %subject, "{place} is pinned to issuer {issuer} and subject {subject}");
                Ok(())
            })
            .await
    }

    /// Returns the name of the pin that has to change before these claims are used, if any has.
    fn place_to_pin(&self, claims: &VerifiedClaims) -> Result<Option<String>, Error> {
        let trust = &self.client.trust;
        let Some(place) = trust.place_of(self.reference) else {
            return Ok(None);
        };
        let known = self.client.cache()?.identity(&place)?;
        let changed = trust.judge(known.as_ref(), &place, self.reference, claims)?;
        Ok(changed.map(|_| place))
    }
}
