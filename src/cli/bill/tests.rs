use crate::archive::{Ecosystem, Package, Source};

use super::{identifier, purl, uuid};

fn package(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Package {
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.map(str::to_owned),
        source: Source::Public,
        build_only: false,
        dependencies: Vec::new(),
    }
}

#[test]
fn package_urls_follow_the_specification() {
    let cargo = |name, version| purl::of(&package(Ecosystem::Cargo, name, Some(version))).unwrap();
    assert_eq!(cargo("serde", "1.0.228"), "pkg:cargo/serde@1.0.228");
    assert_eq!(cargo("a", "1.0.0+git@x"), "pkg:cargo/a@1.0.0%2Bgit%40x");
    let go = |name, version| purl::of(&package(Ecosystem::Go, name, version)).unwrap();
    assert_eq!(
        go("github.com/Azure/go", Some("v2.0.0+incompatible")),
        "pkg:golang/github.com/azure/go@v2.0.0%2Bincompatible"
    );
    assert_eq!(go("example.com/a", None), "pkg:golang/example.com/a");
}

#[test]
fn a_package_from_elsewhere_has_no_package_url() {
    let mut package = package(Ecosystem::Cargo, "demo", Some("0.1.0"));
    package.source = Source::Other("git".to_owned());
    assert_eq!(purl::of(&package), None);
    assert_eq!(identifier(&package), "cargo:demo@0.1.0?source=git");
}

#[test]
fn the_uuid_of_a_document_depends_on_its_content() {
    let first = uuid(&serde_json::json!({"a": 1}));
    assert_eq!(first, uuid(&serde_json::json!({"a": 1})));
    assert_ne!(first, uuid(&serde_json::json!({"a": 2})));
    let lengths: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!((&first[14..15], &first[19..20]), ("8", "a"));
}
