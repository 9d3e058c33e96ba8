//! The issuer and the subject of an archive in a storage, read without downloading the archive.

use std::sync::Arc;

use bytes::Bytes;

use crate::archive::{Dates, Issuer, Rotation, Subject, VerifiedClaims, read_claims_with};
use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, Push, ReadStorage, with_causes};
use crate::oci::{self, Artifact, Reference, media_type};

use super::error::Error;
use super::lookup::{read_layout, read_range};
use super::trust::revision_text;
use super::{Client, annotations, blocking};

/// How many bytes of an archive's start are read to find its claims. They are the first entry of an archive.
const HEAD: u64 = 64 * 1024;

/// The issuer and the subject of the archive of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Publisher {
    /// The publisher in the verified claims of a provider archive.
    Known(Claimed),
    /// The manifest is not that of a provider archive.
    NotAnArchive,
    /// The claims cannot be read, for this reason.
    Unknown(String),
}

/// What the verified claims of a provider archive say of its publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    issuer: Issuer,
    subject: Subject,
    /// The account that has handed over to the issuer by a verified rotation statement.
    former: Option<Issuer>,
    revision: Option<i32>,
}

impl Claimed {
    /// Warns when hosts that have used this archive under a tag will refuse one with the claims `new`.
    fn warn_of_rollback(&self, new: &Self, reference: &Reference) {
        if new.revision < self.revision {
            tracing::warn!(
                "hosts that have used {} of {reference} will refuse {}",
                revision_text(self.revision),
                revision_text(new.revision)
            );
        }
    }
}

impl Publisher {
    /// Returns the publisher of an archive with these claims, and perhaps with a rotation statement on its manifest.
    pub(super) fn new(claims: &VerifiedClaims, rotation: Option<&Rotation>) -> Self {
        let former = rotation.filter(|rotation| rotation.fits(claims));
        let former = former.map(|rotation| rotation.from().clone());
        Self::Known(Claimed {
            issuer: claims.issuer().clone(),
            subject: claims.subject().clone(),
            former,
            revision: claims.metadata().revision,
        })
    }

    /// Reads the publisher of the manifest `digest` in `storage`, the storage of `reference`. Sends one request when
    /// the manifest carries the claims, else two.
    ///
    /// The error is that of a registry that is unavailable.
    pub(super) async fn stored(
        client: &Client,
        reference: &Reference,
        storage: &dyn Push,
        digest: &Digest,
    ) -> Result<Self, Error> {
        let name = ManifestName::Digest(digest.clone());
        match storage.stored_manifest(&name).await {
            Ok((manifest, bytes)) => {
                let archive = reading(client, reference).await?;
                Self::of(client, reference, archive.as_ref(), manifest, bytes).await
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
            Err(error) => Ok(Self::Unknown(with_causes(&error))),
        }
    }

    /// Reads the publisher of the manifest `bytes` in `storage`, the storage of `reference`. Sends a request only when
    /// the manifest does not carry the claims.
    ///
    /// The error is that of a registry that is unavailable.
    pub(super) async fn of(
        client: &Client,
        reference: &Reference,
        storage: &dyn ReadStorage,
        manifest: Descriptor,
        bytes: Bytes,
    ) -> Result<Self, Error> {
        if media_type::is_index(&manifest.media_type) {
            return Ok(Self::NotAnArchive);
        }
        let artifact = match Artifact::parse(manifest, bytes, &reference.to_string()) {
            Ok(artifact) => artifact,
            Err(oci::Error::Component { .. } | oci::Error::UnsupportedArtifact { .. }) => {
                return Ok(Self::NotAnArchive);
            }
            Err(error) => return Ok(Self::Unknown(with_causes(&error))),
        };
        if let Some(Ok(claims)) = annotations::claims(&artifact, Dates::Any) {
            return Ok(Self::new(
                &claims,
                annotations::rotation(&artifact).as_ref(),
            ));
        }
        let Some(layer) = artifact.layers().first() else {
            return Ok(Self::NotAnArchive);
        };
        match read_range(storage, layer, 0..HEAD.min(layer.size)).await {
            Ok(head) => {
                let rotation = annotations::rotation(&artifact);
                let limits = Arc::clone(&client.limits);
                let reading = blocking(move || {
                    Ok(match read_claims_with(&*head, &limits, Dates::Any) {
                        Ok(claims) => Self::new(&claims, rotation.as_ref()),
                        Err(error) => Self::Unknown(with_causes(&error)),
                    })
                });
                reading.await
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
            Err(error) => Ok(Self::Unknown(with_causes(&error))),
        }
    }
}

impl Publisher {
    /// Refuses to move the tag of `reference` from an archive of this publisher to one of `new`, unless this publisher
    /// has handed over to `new`. Warns when they cannot be compared, and when the revision is lower than before.
    pub(super) fn require(&self, new: &Self, reference: &Reference) -> Result<(), Error> {
        let reason = match (self, new) {
            (Self::Known(old), Self::Known(new)) => {
                let keeps = old.issuer == new.issuer || new.former.as_ref() == Some(&old.issuer);
                if keeps && old.subject == new.subject {
                    old.warn_of_rollback(new, reference);
                    return Ok(());
                }
                return Err(Error::TagIdentity {
                    reference: reference.to_string(),
                    issuer: old.issuer.clone(),
                    subject: old.subject.clone(),
                    new_issuer: new.issuer.clone(),
                    new_subject: new.subject.clone(),
                });
            }
            (Self::NotAnArchive, Self::NotAnArchive) => return Ok(()),
            (Self::NotAnArchive, _) => {
                "it named something other than a provider archive".to_owned()
            }
            (_, Self::NotAnArchive) => "the new content is not a provider archive".to_owned(),
            (Self::Unknown(reason), _) => {
                format!("the claims of the archive that it named cannot be read: {reason}")
            }
            (_, Self::Unknown(reason)) => {
                format!("the claims of the new content cannot be read: {reason}")
            }
        };
        tracing::warn!("{reference} moves, and may change its publisher: {reason}");
        Ok(())
    }
}

impl Publisher {
    /// Refuses to move the tag of `reference` from an archive of this publisher to a container image.
    pub(super) fn refuse_image(self, reference: &Reference) -> Result<(), Error> {
        match self {
            Self::Known(old) => Err(Error::TagOfArchive {
                reference: reference.to_string(),
                issuer: old.issuer,
                subject: old.subject,
            }),
            Self::NotAnArchive => Ok(()),
            Self::Unknown(reason) => {
                tracing::warn!(
                    "{reference} moves to a container image; the publisher of the artifact that it named is not known: {reason}"
                );
                Ok(())
            }
        }
    }
}

/// Returns the storage of `reference` for reading, whatever the pull policy is.
pub(super) async fn reading(
    client: &Client,
    reference: &Reference,
) -> Result<Box<dyn ReadStorage>, Error> {
    Ok(match reference {
        Reference::Registry(place) => Box::new(client.registries.repository(place)),
        Reference::Layout(place) => read_layout(client, place).await?,
    })
}
