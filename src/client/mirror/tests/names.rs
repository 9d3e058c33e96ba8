use std::collections::BTreeSet;

use crate::content::Digest;
use crate::oci::Reference;

use super::{is_tag_for, part_of, tag_for};

#[test]
fn every_registry_has_a_name_of_its_own_that_a_repository_may_have() {
    let registries = [
        ("ghcr.io", "ghcr.io"),
        ("registry.lan:5000", "registry.lan__5000"),
        ("127.0.0.1:5000", "127.0.0.1__5000"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("my_registry.lan", "my_registry.lan"),
        ("my_registry.lan:80", "my_registry.lan__80"),
        ("a--b.example", "a--b.example"),
        ("[::1]:5000", "0-0-0-0-0-0-0-1.ipv6-literal.net__5000"),
        ("[fd00::1]", "fd00-0-0-0-0-0-0-1.ipv6-literal.net"),
    ];
    for (registry, part) in registries {
        assert_eq!(part_of(registry).as_deref(), Some(part));
        let repository = format!("registry.internal/prefix/{part}/org/provider:1");
        repository.parse::<Reference>().unwrap();
    }
    let parts: BTreeSet<_> = registries.iter().map(|(_, part)| part).collect();
    assert_eq!(parts.len(), registries.len());
    for registry in ["a__5000.lan", "_a.lan", "a_.lan:1", "a.lan_", "a___b.lan"] {
        assert_eq!(part_of(registry), None, "{registry}");
    }
}

#[test]
fn a_digest_has_a_tag_that_is_no_list_of_referrers() {
    for digest in [
        Digest::of(b"").to_string(),
        format!("sha512:{}", "0f".repeat(64)),
    ] {
        let digest: Digest = digest.parse().unwrap();
        let tag = tag_for(&digest);
        let tagged = format!("ghcr.io/org/provider:{tag}");
        assert_eq!(tagged.parse::<Reference>().unwrap().tag(), Some(&*tag));
        assert!(is_tag_for(&tag, &digest));
        assert!(!is_tag_for(&tag, &Digest::of(b"other")));
        assert!(tag.starts_with("digest-sha"), "{tag}");
    }
}
