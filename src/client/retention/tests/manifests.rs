use super::*;
use crate::oci::{Reference, Registries, RegistryOptions};

#[tokio::test]
async fn no_more_manifests_without_a_tag_are_read_than_allowed() {
    let registries = Registries::new(RegistryOptions::default()).unwrap();
    // Nothing listens there, so a request would be another error.
    let reference: Reference = "127.0.0.1:1/org/demo".parse().unwrap();
    let Reference::Registry(reference) = reference else {
        unreachable!()
    };
    let mut manifests = Manifests {
        untagged: MOST_UNTAGGED,
        ..Manifests::default()
    };
    let repository = registries.repository(&reference);
    let named = vec![Digest::of(b"a manifest without a tag")];
    let mut needed = BTreeSet::new();
    let added = manifests.add_needed(&repository, named, &mut needed);
    let message = added.await.unwrap_err().to_string();
    assert!(
        message.starts_with("127.0.0.1:1/org/demo cannot be pruned: "),
        "{message}"
    );
    assert!(message.contains("10000 manifests"), "{message}");
}
