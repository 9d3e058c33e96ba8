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

/// Whether both this crate and `oci-client` accept a reference, or neither does.
fn agree(text: &str) -> bool {
    let theirs: Result<oci_client::Reference, _> = text.parse();
    text.parse::<Reference>().is_ok() == theirs.is_ok()
}

#[test]
fn the_names_are_those_that_oci_client_accepts() {
    let hosts = [
        "ghcr.io",
        "a.b",
        "localhost",
        "localhost:5000",
        "127.0.0.1:1",
        "A.b",
        "x-y.z",
        "x--y.z",
        "-x.y",
        "x-.y",
        "x..y",
        ".x",
        "x.",
        "x_y.z",
        "a.b:",
        "a.b:x",
        "a.b:1:2",
        "ä.b",
        "a b.c",
        "",
    ];
    let repositories = [
        "a", "a/b/c", "a.b", "a..b", "a_b", "a__b", "a___b", "a-b", "a---b", "a-_b", "a._b", "-a",
        "a-", "a/", "/a", "a//b", "A", "a/B", "ä", "a b", "a/.b", "a_/b", "0/1", "",
    ];
    for host in hosts {
        // Without a dot or a port, `oci-client` takes the host for a part of a repository of Docker Hub.
        if host.contains(['.', ':']) {
            assert!(agree(&format!("{host}/a:tag")), "{host}");
        } else {
            let reference: Result<Reference, _> = format!("{host}/a:tag").parse();
            assert_eq!(reference.is_ok(), host == "localhost", "{host}");
        }
    }
    let (long, longer) = ("a".repeat(255), "a".repeat(256));
    for repository in repositories.into_iter().chain([long.as_str(), &longer]) {
        assert!(agree(&format!("a.b/{repository}:tag")), "{repository}");
    }
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
    fn the_reference_of_a_layout_in_a_file_keeps_its_text(
        file in "[^:@]{1,30}\\.tar",
        name in name(),
    ) {
        let text = format!("oci-archive://{file}{name}");
        prop_assert_eq!(text.parse::<Reference>().unwrap().to_string(), text.clone());
        targets::reference(text.as_bytes());
    }

    #[test]
    fn any_text_is_parsed_or_refused(
        scheme in prop_oneof!["", "oci://", "oci-layout://", "oci-archive://", ".{0,9}"],
        text in prop_oneof![".{0,60}", "[a-zA-Z0-9:/@._\\[\\]-]{0,60}", "([ab]?[:/@. 1\\[]){0,12}",
            "(a|\\.tar|:|@|/|sha256|1){0,9}"],
    ) {
        targets::reference(format!("{scheme}{text}").as_bytes());
    }
}
