use crate::content::{Digest, ErrorKind};

use super::MirrorDestination;

fn name_in(mirror: &str, reference: &str) -> Result<String, ErrorKind> {
    let mirror: MirrorDestination = mirror.parse().unwrap();
    let name = mirror.name_of(&reference.parse().unwrap());
    name.map(|name| name.to_string())
        .map_err(|error| error.kind())
}

#[test]
fn a_mirror_keeps_full_names() {
    let digest = Digest::of(b"content");
    let tag = format!("digest-sha256-{}", digest.hex());
    for (mirror, reference, name) in [
        (
            "registry.internal/prefix",
            "ghcr.io/org/p:1.0",
            "registry.internal/prefix/ghcr.io/org/p:1.0".to_owned(),
        ),
        (
            "registry.internal:5000",
            "registry.lan:80/p:1",
            "registry.internal:5000/registry.lan__80/p:1".to_owned(),
        ),
        (
            "registry.internal/a/b",
            &format!("ghcr.io/org/p:1.0@{digest}"),
            format!("registry.internal/a/b/ghcr.io/org/p:1.0@{digest}"),
        ),
        (
            "registry.internal/a",
            &format!("ghcr.io/org/p@{digest}"),
            format!("registry.internal/a/ghcr.io/org/p:{tag}@{digest}"),
        ),
        (
            "oci-layout://dir",
            "ghcr.io/org/p:1.0",
            "oci-layout://dir:ghcr.io/org/p:1.0".to_owned(),
        ),
        (
            "oci-layout://dir",
            &format!("localhost:5000/p@{digest}"),
            format!("oci-layout://dir:localhost:5000/p:{tag}@{digest}"),
        ),
    ] {
        assert_eq!(name_in(mirror, reference).unwrap(), name);
        let read: crate::oci::Reference = name.parse().unwrap();
        assert_eq!(read.to_string(), name, "the name is a reference");
    }
}

#[test]
fn what_has_no_full_name_is_refused() {
    let long = format!("ghcr.io/{}:1", "a".repeat(250));
    for reference in [
        "oci-layout://dir:1.0",
        "_a.lan:80/p:1",
        "ghcr.io/org/p",
        &long,
    ] {
        let name = name_in("registry.internal/prefix", reference);
        assert_eq!(name, Err(ErrorKind::Usage), "{reference}");
    }
}

#[test]
fn a_place_for_a_mirror_has_no_tag_and_no_digest() {
    let digest = Digest::of(b"");
    for place in [
        "registry.internal/prefix:1",
        &format!("registry.internal/prefix@{digest}"),
        "oci-layout://dir:1",
        "prefix",
        "",
    ] {
        assert!(place.parse::<MirrorDestination>().is_err(), "{place}");
    }
    for place in [
        "registry.internal",
        "registry.internal:5000/a/b",
        "oci-layout://dir",
    ] {
        let mirror: MirrorDestination = place.parse().unwrap();
        assert_eq!(mirror.to_string(), place);
    }
}
