use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::client::sigstore::SigstoreRoot;

fn component() -> oci::Error {
    oci::Error::Component {
        reference: "ghcr.io/org/component:1".to_owned(),
        media_type: "application/wasm".to_owned(),
    }
}

#[test]
fn hints_are_found_through_stores_and_shared_work() {
    let expected = oci_hint(&component());
    assert!(expected.is_some());
    let store = StoreError::new(ErrorKind::NotVerified, component());
    for error in [
        Error::Oci(component()),
        Error::Store(store),
        Error::Shared(Arc::new(Error::Oci(component()))),
    ] {
        assert_eq!(client_hint(&error), expected, "{error:?}");
    }
    let full = cache::Error::File {
        path: "/cache/blob".into(),
        source: std::io::ErrorKind::StorageFull.into(),
    };
    let hint = client_hint(&Error::Store(full.into())).unwrap();
    assert!(hint.contains("par cache prune"), "{hint}");
}

#[test]
fn the_hint_about_a_reference_that_is_not_locked_names_par_lock() {
    let error = LockError::NotLocked {
        reference: "ghcr.io/org/provider:1.0".to_owned(),
    };
    assert!(lock_hint(&error).unwrap().contains("par lock"));
}

#[test]
fn a_trusted_root_of_the_future_is_a_matter_of_the_clock() {
    let refusal = |newest: SystemTime| {
        let error = BundleError::WrongTimestamp {
            root: SigstoreRoot::Public,
            newest: Some(newest),
            source: "no key".into(),
        };
        identity_hint(&[(Digest::of(b"bundle"), error)]).unwrap()
    };
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    assert!(refusal(now + hour).contains("set the clock"));
    assert!(refusal(now - hour).contains("its trusted root is too old"));
}
