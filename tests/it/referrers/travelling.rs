//! Copying archives and what belongs to them from a registry through a tar and an image layout to another registry.

use std::fs;

use wasmcloud_par::content::{Descriptor, Digest};
use wasmcloud_par::oci::internals::Repository;

use super::{SBOM, SIGNATURE, attach, changes, image, list_tag, referrers, repository};
use crate::support::proxy::Proxy;
use crate::support::{Environment, Registry, block_on};
use crate::transfer::par;

const ARCHIVES: usize = 10;

/// An archive with a signature under a tag, a bill of materials, and a signature of the bill.
struct Archive {
    number: usize,
    archive: Descriptor,
    signature: Descriptor,
    sbom: Descriptor,
    nested: Descriptor,
}

impl Archive {
    fn store(registry: &Registry, number: usize) -> Self {
        let to = &repository(registry.address(), &repository_name(number));
        let archive = image(to, &format!("archive {number}"), Some("1"));
        let sbom = attach(to, &archive, SBOM, &format!("bill {number}"));
        Self {
            number,
            signature: image(
                to,
                &format!("signature {number}"),
                Some(&signature_tag(&archive.digest)),
            ),
            nested: attach(to, &sbom, SIGNATURE, &format!("signature of bill {number}")),
            archive,
            sbom,
        }
    }

    /// Asserts that a registry has all of these manifests. `registry:2` has all blobs of a manifest that it has.
    #[track_caller]
    fn assert_in(&self, registry: &Registry) {
        let there = &repository(registry.address(), &repository_name(self.number));
        assert_eq!(named(there, "1"), self.archive);
        assert_eq!(
            named(there, &signature_tag(&self.archive.digest)),
            self.signature
        );
        assert_eq!(
            referrers(there, &self.archive.digest),
            std::slice::from_ref(&self.sbom.digest)
        );
        assert_eq!(
            referrers(there, &self.sbom.digest),
            std::slice::from_ref(&self.nested.digest)
        );
        for manifest in [&self.sbom, &self.nested] {
            assert_eq!(named(there, &manifest.digest.to_string()), *manifest);
        }
    }
}

fn named(repository: &Repository, name: &str) -> Descriptor {
    block_on(repository.manifest(name)).unwrap().0
}

fn repository_name(number: usize) -> String {
    format!("org/a{number}")
}

fn signature_tag(archive: &Digest) -> String {
    format!("{}.sig", list_tag(archive))
}

/// Copies each archive from one place to another one.
fn copy_all(
    environment: &Environment,
    from: impl Fn(usize) -> String,
    to: impl Fn(usize) -> String,
) {
    for number in 0..ARCHIVES {
        let copied = par(
            environment,
            ["copy", &from(number), &to(number), "-o", "json"],
        );
        let answer = copied.success().json();
        assert_eq!(answer["referrers"], 2, "{answer}");
        assert_eq!(answer["attached_tags"], 1, "{answer}");
    }
}

#[test]
fn referrers_of_archives_are_copied_through_a_tar_and_a_layout_and_a_second_run_sends_nothing() {
    let environment = Environment::new();
    let (first, last) = (Registry::start(), Registry::start());
    let archives: Vec<_> = (0..ARCHIVES)
        .map(|number| Archive::store(&first, number))
        .collect();
    let source = |number| first.reference(&format!("{}:1", repository_name(number)));
    let tar = |number| format!("oci-archive://all.tar:a{number}");
    let layout = |number| format!("oci-layout://layout:a{number}");
    let end = |number| last.reference(&format!("{}:1", repository_name(number)));

    copy_all(&environment, source, tar);
    copy_all(&environment, tar, layout);
    copy_all(&environment, layout, end);
    for archive in &archives {
        archive.assert_in(&last);
    }

    let file = environment.path("all.tar");
    let index = environment.path("layout/index.json");
    let before = [fs::read(&file).unwrap(), fs::read(&index).unwrap()];
    let proxy = Proxy::start(&last, Vec::new());
    let end = |number| proxy.reference(&format!("{}:1", repository_name(number)));
    copy_all(&environment, source, tar);
    copy_all(&environment, tar, layout);
    copy_all(&environment, layout, end);
    assert!(before == [fs::read(&file).unwrap(), fs::read(&index).unwrap()]);
    assert_eq!(changes(&proxy), [""; 0]);
}
