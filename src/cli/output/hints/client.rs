//! Hints for errors of the client, and of the layers below it that it passes on.

use crate::client::{Error, LockError};
use crate::content::ErrorKind;
use crate::{cache, oci};

use super::archive::{archive_hint, file_hint};
use super::cache::cache_hint;
use super::oci::{oci_hint, reference_hint};
use super::trust::trust_hint;

/// Returns what the user can do about an error of the client.
pub(crate) fn client_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Shared(error) => return client_hint(error),
        Error::Oci(error) => return oci_hint(error),
        Error::Cache(error) => return cache_hint(error),
        Error::Trust(error) => return trust_hint(error),
        Error::Store(error) => {
            return match error.downcast_ref::<oci::Error>() {
                Some(error) => oci_hint(error),
                None => error.downcast_ref::<cache::Error>().and_then(cache_hint),
            };
        }
        Error::Archive(error) | Error::Unusable { source: error, .. } => archive_hint(error)?,
        Error::Lock(error) => lock_hint(error)?,
        Error::Reference(error) => reference_hint(error)?,
        Error::Write { source, .. } => file_hint(source)?,
        Error::NotCached(_) => "fetch it once with another pull policy: --pull missing",
        Error::Unnamed(_) => "add a tag, as in `:1.0.0`, or a digest",
        Error::ReservedAnnotation(_) => {
            "leave the annotation out: its value comes from the archive"
        }
        Error::OtherDigest { .. } => {
            "check with the publisher before you use it: the tag may have been moved"
        }
        Error::Damaged { .. } => {
            "remove damaged content with `par cache verify`, and check the disk"
        }
        Error::OtherClaims(_) => {
            "ask the publisher about it: the manifest was put together from two archives"
        }
        _ => return None,
    };
    Some(hint.to_owned())
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
        LockError::Read { source, .. } if ErrorKind::of_io(source) == ErrorKind::NotFound => Some(
            "make a lock file with `par lock FILE`, where FILE is a list of references or a wadm manifest",
        ),
        LockError::Malformed { .. } => Some("restore it, or remove it and run `par lock`"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/client.rs"]
mod tests;
