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
fn the_hint_about_wrong_content_depends_on_where_it_is() {
    for (reference, words) in [
        ("ghcr.io/org/provider:1.0", "tell the operator"),
        ("oci-layout://layout:1.0", "copy the layout again"),
        ("oci-archive://layout.tar:1.0", "copy the layout again"),
    ] {
        let error = Error::WrongContent {
            reference: reference.to_owned(),
            source: StoreError::new(ErrorKind::NotVerified, component()),
        };
        assert!(client_hint(&error).unwrap().contains(words), "{reference}");
    }
}

#[test]
fn the_hint_about_a_missing_directory_says_to_create_it() {
    let source = || std::io::Error::new(std::io::ErrorKind::NotFound, "there is no directory no");
    let path = std::path::PathBuf::from("no/file");
    for error in [
        Error::Lock(LockError::Write {
            path: path.clone(),
            source: source(),
        }),
        Error::Write {
            path: path.clone(),
            source: source(),
        },
    ] {
        let hint = client_hint(&error).unwrap();
        assert!(hint.contains("create the directory"), "{hint}");
    }
    // An error of the system is about a file that cannot be read.
    let source = std::io::Error::from_raw_os_error(2);
    let missing = crate::archive::Error::Read { path, source };
    assert_eq!(client_hint(&Error::Archive(missing)), None);
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
