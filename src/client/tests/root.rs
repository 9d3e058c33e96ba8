use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::content::{Digest, ErrorKind};

use super::*;

fn away() -> oci::Error {
    oci::Error::GaveUp {
        attempts: 3,
        seconds: 5,
        last: Box::new(oci::Error::Stalled {
            what: "manifest 1".to_owned(),
            address: "http://localhost:1".to_owned(),
            seconds: 5,
        }),
    }
}

fn is_stalled(error: &Error) -> bool {
    matches!(error.as_oci(), Some(oci::Error::Stalled { .. }))
}

#[test]
fn the_root_is_found_behind_sharing_and_storage() {
    let not_cached = || Error::NotCached("localhost:1/a:1".to_owned());
    let stored = Error::Store(StoreError::new(ErrorKind::NotFound, not_cached()));
    let shared = Error::Shared(Arc::new(Error::Shared(Arc::new(stored))));
    assert!(matches!(shared.root(), Error::NotCached(_)));

    let refused = TrustError::NeverPinned("localhost:1/a".to_owned());
    let shared = Error::Shared(Arc::new(refused.into()));
    assert!(matches!(
        shared.as_trust(),
        Some(TrustError::NeverPinned(_))
    ));
    assert!(shared.as_oci().is_none());
}

#[test]
fn the_error_of_a_registry_is_that_of_the_last_attempt_wherever_it_is() {
    assert!(is_stalled(&away().into()));
    assert!(is_stalled(&Error::Store(away().into())));
    let received = cache::Error::Receive {
        digest: Digest::of(b""),
        source: io::Error::other(StoreError::from(away())),
    };
    assert!(is_stalled(&Error::Shared(Arc::new(received.into()))));
    let full = cache::Error::File {
        path: PathBuf::from("full"),
        source: io::ErrorKind::StorageFull.into(),
    };
    assert!(Error::from(full).as_oci().is_none());
}
