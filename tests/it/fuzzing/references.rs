//! References of every form, and texts that are not references.

use proptest::option;
use proptest::prelude::*;
use wasmcloud_par::oci::Reference;

use super::targets;
use crate::support::properties::tried;

/// `[:tag][@digest]`.
fn name() -> impl Strategy<Value = String> {
    let tag = option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    let digest = option::of("[0-9a-f]{64}");
    (tag, digest).prop_map(|(tag, digest)| {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = digest.map(|hex| format!("@sha256:{hex}"));
        tag + &digest.unwrap_or_default()
    })
}

proptest! {
    #![proptest_config(tried(256))]

    #[test]
    fn a_reference_keeps_its_text_and_is_parsed_as_by_oci_client(
        host in "[a-z0-9]{1,9}(-[a-z0-9]{1,5})?(\\.[a-z]{2,5}){1,2}(:[1-9][0-9]{0,3})?",
        repository in "[a-z0-9]{1,9}((\\.|_|__|-{1,3})[a-z0-9]{1,5})?(/[a-z0-9]{1,9}){0,3}",
        name in name(),
    ) {
        prop_assume!(!host.contains("docker.io"));
        let text = format!("{host}/{repository}{name}");
        let Reference::Registry(ours) = text.parse().unwrap() else {
            panic!("{text} is in a registry");
        };
        prop_assert_eq!(ours.to_string(), text.clone());
        let theirs: oci_client::Reference = text.parse().unwrap();
        prop_assert_eq!(ours.registry(), theirs.registry());
        prop_assert_eq!(ours.repository(), theirs.repository());
        let digest = ours.digest().map(ToString::to_string);
        prop_assert_eq!(digest.as_deref(), theirs.digest());
        // `oci-client` adds a tag to a reference without a tag and a digest.
        prop_assert!(ours.tag() == theirs.tag() || (name.is_empty() && ours.tag().is_none()));
        targets::reference(text.as_bytes());
    }

    #[test]
    fn the_reference_of_a_layout_keeps_its_text(directory in "[^:@]{1,30}", name in name()) {
        let text = format!("oci-layout://{directory}{name}");
        prop_assert_eq!(text.parse::<Reference>().unwrap().to_string(), text.clone());
        targets::reference(text.as_bytes());
    }

    #[test]
    fn any_text_is_parsed_or_refused(
        scheme in prop_oneof!["", "oci://", "oci-layout://", ".{0,9}"],
        text in prop_oneof![".{0,60}", "[a-zA-Z0-9:/@._\\[\\]-]{0,60}"],
    ) {
        targets::reference(format!("{scheme}{text}").as_bytes());
    }
}
