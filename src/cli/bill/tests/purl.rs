use crate::archive::{Ecosystem, Package, PackageSource};

use super::of;

fn package(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Package {
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.map(str::to_owned),
        source: PackageSource::Public,
        build_only: false,
        dependencies: Vec::new(),
    }
}

#[test]
fn package_urls_follow_the_specification() {
    let cargo = |name, version| of(&package(Ecosystem::Cargo, name, Some(version))).unwrap();
    assert_eq!(cargo("serde", "1.0.228"), "pkg:cargo/serde@1.0.228");
    assert_eq!(cargo("a", "1.0.0+git@x"), "pkg:cargo/a@1.0.0%2Bgit%40x");
    let go = |name, version| of(&package(Ecosystem::Go, name, version)).unwrap();
    assert_eq!(
        go("github.com/Azure/go", Some("v2.0.0+incompatible")),
        "pkg:golang/github.com/azure/go@v2.0.0%2Bincompatible"
    );
    assert_eq!(go("example.com/a", None), "pkg:golang/example.com/a");
}

#[test]
fn a_package_that_is_not_from_the_public_registry_has_no_package_url() {
    let mut package = package(Ecosystem::Cargo, "demo", Some("0.1.0"));
    package.source = PackageSource::Other("git".to_owned());
    assert_eq!(of(&package), None);
}
