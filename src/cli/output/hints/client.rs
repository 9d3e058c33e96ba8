//! Hints for errors of the client, and of the layers below it that it passes on.

use std::time::SystemTime;

use crate::client::sigstore::{BundleError, TrustedRootError};
use crate::client::{Error, LockError, TrustError};
use crate::content::{Digest, ErrorKind, StoreError};
use crate::{cache, oci};

use super::archive::{archive_hint, file_hint};
use super::cache::cache_hint;
use super::oci::{oci_hint, reference_hint};
use super::signing::signing_hint;

/// Returns what the user can do about an error of the client.
pub(crate) fn client_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Shared(error) => return client_hint(error),
        Error::Oci(error) => return oci_hint(error),
        Error::Cache(error) => return cache_hint(error),
        Error::Trust(error) => return trust_hint(error),
        Error::Store(error) => return store_hint(error),
        Error::DeniedButCached { source, .. } => {
            let access = store_hint(source).map(|hint| format!("{hint}; "));
            return Some(format!(
                "{}to use the cached archive, run `par fetch` with --pull missing, or write `stale = \"denied\"` in the \
                 trust policy",
                access.unwrap_or_default()
            ));
        }
        Error::Archive(error) | Error::Unusable { source: error, .. } => archive_hint(error)?,
        Error::Lock(LockError::IdentityMissing { refusals, .. }) => {
            return Some(locked_identity_hint(refusals));
        }
        Error::Lock(error) => lock_hint(error)?,
        Error::Reference(error) => return reference_hint(error),
        Error::Signing { source, .. } => return signing_hint(source),
        Error::Write { source, .. } => file_hint(source)?,
        Error::NotCached(_) => "fetch it once with another pull policy: --pull missing",
        Error::Unnamed(_) => "add a tag, as in `:1.0.0`, or a digest",
        Error::ReservedAnnotation(name) if name.ends_with(".rotation") => {
            "leave the annotation out, and name the file of the statement with --rotation"
        }
        Error::ReservedAnnotation(_) => {
            "leave the annotation out: its value comes from the archive"
        }
        Error::OtherDigest { .. } => {
            "check with the publisher before you use it: the tag may have been moved"
        }
        Error::OtherRotation { .. } => {
            "make a statement for these keys with `par keys rotate`, or leave --rotation out"
        }
        Error::TagExists { .. } => {
            "choose another name, or leave --if-absent out to replace this one"
        }
        Error::NotReplaced { .. } => "name another file, or remove this one first",
        Error::TagIdentity { .. } => {
            "sign with the keys of the archive that the tag names, or if another publisher or provider is \
             intended, allow it with --change-identity"
        }
        Error::TagOfArchive { .. } => {
            "choose another tag or repository for the image, or allow it with --change-identity"
        }
        Error::TagMoved { .. } => "run the command again to see what would be deleted now",
        Error::MirrorName { .. } => {
            "name it in the mirror yourself: `par copy` copies it to any reference"
        }
        Error::MirrorPlace(_) => {
            "write REGISTRY, REGISTRY/PREFIX, oci-layout://DIR or oci-archive://FILE.tar"
        }
        Error::NoImageTarget { .. } => {
            "add an executable for Linux with `par insert`, or name a Linux target with --target"
        }
        Error::MediaType(_) => "write a type and a name, as in `application/vnd.cyclonedx+json`",
        Error::AttachmentTooLarge { .. } => "write it to a file with --destination",
        Error::ImagePath { .. } => "give an absolute path with --path, such as /provider",
        Error::ReservedLabel(_) => "leave the label out: its value comes from the archive",
        Error::Base { source, .. } => match source {
            oci::Error::NoPlatform { .. } => {
                "choose a base image for this platform, or the targets that the base has with --target"
            }
            oci::Error::UnsupportedManifest { .. } => "give a container image with --base",
            error => return oci_hint(error),
        },
        Error::NotAttached { source, .. } => {
            let cause = client_hint(source).map(|hint| format!("{hint}; "));
            return Some(format!(
                "{}to leave behind what belongs to the archive, copy with --without-referrers",
                cause.unwrap_or_default()
            ));
        }
        Error::TooMuchAttached { .. } => {
            "to leave behind what belongs to it, copy with --without-referrers"
        }
        Error::TooManyUntagged { .. } => {
            "delete indexes that nobody needs with `par delete`, and prune again"
        }
        Error::Damaged { .. } => {
            "remove damaged content with `par cache verify`, and check the disk"
        }
        Error::WrongContent { reference, .. } if is_in_layout(reference) => {
            "copy the layout again from where it came from: it is damaged here"
        }
        Error::WrongContent { .. } => {
            "try again; if the error stays, tell the operator of the registry that its content is damaged"
        }
        Error::OtherClaims(_) => {
            "ask the publisher about it: the manifest was put together from two archives"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns whether a reference names an image layout, and not a registry.
fn is_in_layout(reference: &str) -> bool {
    let mut schemes = ["oci-layout://", "oci-archive://"].iter();
    schemes.any(|scheme| reference.starts_with(scheme))
}

/// Returns the registry that requires credentials, if the error is that none are known.
pub(crate) fn missing_credentials(error: &Error) -> Option<&str> {
    let mut error = match error {
        Error::Shared(error) => return missing_credentials(error),
        Error::NotAttached { source, .. } => return missing_credentials(source),
        Error::Oci(error) | Error::Base { source: error, .. } => error,
        Error::Store(error) => error.downcast_ref::<oci::Error>()?,
        _ => return None,
    };
    while let oci::Error::GaveUp { last, .. } = error {
        error = last;
    }
    match error {
        oci::Error::CredentialsMissing { registry, .. } => Some(registry),
        _ => None,
    }
}

/// Returns what the user can do about an error of a registry, a layout or the cache.
fn store_hint(error: &StoreError) -> Option<String> {
    match error.downcast_ref::<oci::Error>() {
        Some(error) => oci_hint(error),
        None => error.downcast_ref::<cache::Error>().and_then(cache_hint),
    }
}

/// Returns what the user can do about a refusal of the trust policy or of a pin.
fn trust_hint(error: &TrustError) -> Option<String> {
    let hint = match error {
        TrustError::NotPinned { what, .. } => {
            return Some(format!(
                "if you trust this publisher, run `par trust accept {what}`"
            ));
        }
        TrustError::IdentityChanged { what, .. } => {
            return Some(format!(
                "ask the publisher about it; if the change is intended, run `par trust accept {what}`"
            ));
        }
        TrustError::Downgrade { what, .. } => {
            return Some(format!(
                "if the rollback is intended, run `par trust accept {what}`, or use the digest of the archive \
                 that you want"
            ));
        }
        TrustError::Revoked { .. } => {
            "do not run it: ask the publisher for an archive with another key, and keep `revoked` in the trust policy"
        }
        TrustError::Retired { what, .. } => {
            return Some(format!(
                "use an archive of the new issuer; if you want this archive, list its issuer in the rule of the trust \
                 policy, or run `par trust accept {what}`"
            ));
        }
        TrustError::UntrustedIssuer { rule: None, .. } => {
            "allow the issuer with --issuer if you trust it"
        }
        TrustError::UntrustedIssuer { .. } => {
            "allow the issuer in the trust policy, or with --issuer, if you trust it"
        }
        TrustError::UntrustedSubject { .. } => {
            "add the subject to `subjects` in the trust policy if it belongs there"
        }
        TrustError::TooOld { .. } | TrustError::NoRevision { .. } => {
            "if you want an older archive, allow it with --min-revision"
        }
        TrustError::NoRule(_) => {
            "add a rule to the trust policy, or allow the issuer with --issuer"
        }
        // No rule pins an image layout.
        TrustError::NeverPinned(what) if is_in_layout(what) => return None,
        TrustError::NeverPinned(_) => {
            "add a rule with `pin = \"first-use\"` for the repository to the trust policy"
        }
        TrustError::NoBundle { .. } => {
            "ask the publisher to sign or attest the manifest, by its digest, with `cosign sign` or in its CI; a copy may have \
             left the bundle behind"
        }
        TrustError::UntrustedIdentity { refusals, .. } => return identity_hint(refusals),
        TrustError::UnknownIdentity { source, .. } => return store_hint(source),
        TrustError::IdentityNotCached(_) => {
            "fetch it once with another pull policy: --pull missing"
        }
        TrustError::IdentityOfFile(_) => {
            "verify the reference that the file was pulled from, or leave the policy out"
        }
        TrustError::SigstoreNotBuilt(_) => {
            "use a `par` that was built with `--features sigstore`, or take the identity out of the trust policy"
        }
        TrustError::TrustedRoot(TrustedRootError::File { source, .. }) => file_hint(source)?,
        TrustError::TrustedRoot(_) => {
            "make the file with `cosign trusted-root create`, or get the one of the instance again"
        }
        TrustError::File { source, .. } => file_hint(source)?,
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what the user can do about bundles that do not count.
fn identity_hint(refusals: &[(Digest, BundleError)]) -> Option<String> {
    let any = |is: fn(&BundleError) -> bool| refusals.iter().any(|(_, refusal)| is(refusal));
    let hint = if any(is_ahead_of_clock) {
        "set the clock of this machine"
    } else if any(|refusal| {
        use BundleError::{UnknownAuthority, UnknownLog, WrongTimestamp};
        matches!(
            refusal,
            UnknownAuthority { .. } | UnknownLog { .. } | WrongTimestamp { .. }
        )
    }) {
        "set the instance of Sigstore that signed: `root` in the trust policy, or --trusted-root; if it is set already, its \
         trusted root is too old: get a newer file, or a newer version of `par`"
    } else if any(|refusal| {
        use BundleError::{OtherIdentity, OtherPredicate};
        matches!(refusal, OtherIdentity { .. } | OtherPredicate { .. })
    }) {
        "if you trust that identity, allow it in the trust policy"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// Returns what the user can do about bundles that are not by a locked identity.
fn locked_identity_hint(refusals: &[(Digest, BundleError)]) -> String {
    let is_by_another = refusals.is_empty()
        || refusals
            .iter()
            .any(|(_, refusal)| matches!(refusal, BundleError::OtherIdentity { .. }));
    let hint = identity_hint(refusals).filter(|_| !is_by_another);
    hint.unwrap_or_else(|| {
        "ask the publisher for the bundle of that identity, which a copy may have left behind; if another identity may \
         sign, run `par lock` with --accept-identity"
            .to_owned()
    })
}

/// Whether a bundle, or the trusted root by which it was verified, is newer than the clock of this machine says.
fn is_ahead_of_clock(refusal: &BundleError) -> bool {
    use BundleError::{InFuture, UnknownAuthority, UnknownLog, WrongTimestamp};
    match refusal {
        InFuture { .. } => true,
        UnknownAuthority { newest, .. }
        | UnknownLog { newest, .. }
        | WrongTimestamp { newest, .. } => newest.is_some_and(|newest| newest > SystemTime::now()),
        _ => false,
    }
}

/// Returns what the user can do about an error of a lock file.
fn lock_hint(error: &LockError) -> Option<&'static str> {
    match error {
        LockError::NotLocked { .. } => {
            Some("if it is meant to run, add it to the deployment, and lock that with `par lock`")
        }
        LockError::OtherPublisher { .. } | LockError::OtherRevision { .. } => {
            Some("run `par lock` again, and check what changes: the lock file was edited by hand")
        }
        LockError::OtherIdentity { .. } | LockError::IdentityNotAllowed { .. } => Some(
            "if that identity is trusted, allow it in the trust policy, and lock again with --accept-identity",
        ),
        LockError::NoTrustedRoot { .. } => Some(
            "add a rule with that identity to the trust policy, whose `root` names the file trusted_root.json",
        ),
        LockError::SigstoreNotBuilt(_) => {
            Some("use a `par` that was built with `--features sigstore`")
        }
        LockError::IdentityLost { .. } if cfg!(not(feature = "sigstore")) => Some(
            "use a `par` that was built with `--features sigstore`, which can verify that identity; if this identity is no \
             longer required, lock with --accept-identity",
        ),
        LockError::IdentityLost { .. } => Some(
            "demand that identity in the trust policy; if this identity is no longer required, lock with --accept-identity",
        ),
        LockError::PublisherChanged { .. } => Some(
            "ask the publisher about it; if the change is intended, lock with --accept-identity",
        ),
        LockError::Downgrade { .. } => {
            Some("if the rollback is intended, lock with --allow-downgrade")
        }
        LockError::Read { source, .. } if ErrorKind::of_io(source) == ErrorKind::NotFound => Some(
            "make one with `par lock FILE`, where FILE is a list of references or a wadm manifest; --destination names the lock file",
        ),
        LockError::Read { source, .. } | LockError::Write { source, .. } => file_hint(source),
        LockError::Malformed { .. } => Some("restore it, or remove it and run `par lock`"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/client.rs"]
mod tests;
