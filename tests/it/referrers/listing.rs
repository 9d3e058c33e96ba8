//! Listing: a manifest with a subject is found as a referrer of it, in every kind of place and by other clients.

use std::slice;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use super::{
    INDEX, MANIFEST, SBOM, SIGNATURE, attach, digests, discovered, image, list_tag, manifest,
    referrers, referring, repository, run, sorted,
};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{ApiRegistry, Environment, Registry, block_on, shared_registry, unique};
use crate::transfer::par;

/// Returns the list under the tag of a digest.
fn list(host: &str, name: &str, subject: &Digest) -> Value {
    let repository = repository(host, name);
    let (_, bytes) = block_on(repository.manifest(&list_tag(subject))).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_manifest_with_a_subject_is_found_by_this_client_and_by_others() {
    let environment = Environment::new();
    let with_api = ApiRegistry::start();
    for host in [shared_registry(), with_api.address()] {
        let name = unique("attached");
        let repository = repository(host, &name);
        let subject = image(&repository, "archive", Some("1"));
        let signature = attach(&repository, &subject, SIGNATURE, "a signature");
        let sbom = attach(&repository, &subject, SBOM, "a bill of materials");
        // The second time, nothing changes.
        assert_eq!(
            attach(&repository, &subject, SBOM, "a bill of materials"),
            sbom
        );
        let all = sorted([&signature, &sbom]);
        assert_eq!(referrers(&repository, &subject.digest), all);
        let sboms = block_on(repository.referrers(&subject.digest, Some(SBOM))).unwrap();
        assert_eq!(digests(&sboms), slice::from_ref(&sbom.digest));
        assert_eq!(sboms[0].annotations["made.by"], "a bill of materials");

        let reference = format!("{host}/{name}:1");
        assert_eq!(discovered(&environment, &["--plain-http"], &reference), all);
        let options = ["--host", &format!("reg={host},tls=disabled")];
        let mut arguments = options.to_vec();
        arguments.extend(["artifact", "list", "--format", "{{json .}}", &reference]);
        let listed = run(&environment, "regctl", &arguments).stdout;
        for digest in &all {
            assert!(listed.contains(&digest.to_string()), "{listed}");
        }
    }
}

#[test]
fn a_registry_with_the_api_gets_no_tag() {
    let registry = ApiRegistry::start();
    let repository = repository(registry.address(), "org/x");
    let subject = image(&repository, "archive", Some("1"));
    attach(&repository, &subject, SIGNATURE, "a signature");
    assert_eq!(block_on(repository.tags()).unwrap(), ["1"]);
}

#[test]
fn a_registry_that_says_nothing_about_the_subject_and_lists_it_gets_no_tag() {
    let registry = ApiRegistry::start();
    let silent = Fault::edit(|answer| answer.remove("oci-subject"));
    let rules = vec![Rule::on("PUT", "/manifests/", silent).always()];
    let proxy = Proxy::to(registry.address(), rules);
    let repository = repository(proxy.address(), "org/x");
    let subject = image(&repository, "archive", Some("1"));
    let signature = attach(&repository, &subject, SIGNATURE, "a signature");
    assert_eq!(block_on(repository.tags()).unwrap(), ["1"]);
    assert_eq!(referrers(&repository, &subject.digest), [signature.digest]);
}

#[test]
fn entries_of_other_clients_stay_as_they_are() {
    let environment = Environment::new();
    let (host, name) = (shared_registry(), unique("others"));
    let repository = repository(host, &name);
    let subject = image(&repository, "archive", Some("1"));
    environment.write("file.txt", "by oras");
    let reference = format!("{host}/{name}:1");
    let arguments = ["attach", "--plain-http", "--artifact-type", "a/b"];
    let arguments = [
        &arguments[..],
        &["-a", "k=v", &reference, "file.txt:text/plain"],
    ]
    .concat();
    run(&environment, "oras", &arguments);
    let by_oras = referrers(&repository, &subject.digest);
    // Another client has written fields that this crate does not know.
    let mut index = list(host, &name, &subject.digest);
    index["manifests"][0]["x-unknown"] = json!({ "number": 1 });
    index["annotations"] = json!({ "about": "the list" });
    manifest(&repository, &index, Some(&list_tag(&subject.digest)));

    let signature = attach(&repository, &subject, SIGNATURE, "a signature");
    let after = list(host, &name, &subject.digest);
    assert_eq!(after["manifests"][0], index["manifests"][0]);
    assert_eq!(after["annotations"], index["annotations"]);
    assert_eq!(after["manifests"][1]["digest"], json!(signature.digest));
    assert_eq!(after["manifests"][1]["artifactType"], SIGNATURE);
    assert_eq!(
        after["manifests"][1]["annotations"]["made.by"],
        "a signature"
    );
    let all = referrers(&repository, &subject.digest);
    assert_eq!(all.len(), 2);
    assert!(all.contains(&by_oras[0]));
    assert_eq!(discovered(&environment, &["--plain-http"], &reference), all);
}

#[test]
fn types_and_annotations_that_a_list_lacks_or_has_wrong_come_from_the_manifests() {
    let (host, name) = (shared_registry(), unique("wrong"));
    let repository = repository(host, &name);
    let subject = image(&repository, "archive", Some("1"));
    let signature = attach(&repository, &subject, SIGNATURE, "a signature");
    let other = image(&repository, "another archive", None);
    // ghcr.io and cosign write such entries. The last entry is not a referrer.
    let mut index = list(host, &name, &subject.digest);
    let entry = index["manifests"][0].as_object_mut().unwrap();
    entry.insert(
        "artifactType".to_owned(),
        json!("application/vnd.oci.empty.v1+json"),
    );
    entry.remove("annotations");
    let manifests = index["manifests"].as_array_mut().unwrap();
    manifests.push(json!(other));
    manifest(&repository, &index, Some(&list_tag(&subject.digest)));

    let all = block_on(repository.referrers(&subject.digest, None)).unwrap();
    assert_eq!(digests(&all), slice::from_ref(&signature.digest));
    assert_eq!(all[0].artifact_type.as_deref(), Some(SIGNATURE));
    assert_eq!(all[0].annotations["made.by"], "a signature");
    let typed = block_on(repository.referrers(&subject.digest, Some(SIGNATURE))).unwrap();
    assert_eq!(digests(&typed), [signature.digest]);
}

#[test]
fn a_tag_that_names_the_subject_itself_becomes_the_list_and_another_manifest_is_kept() {
    let (host, name) = (shared_registry(), unique("itself"));
    let repository = repository(host, &name);
    let subject = image(&repository, "archive", Some("1"));
    let tag = list_tag(&subject.digest);
    // `cosign copy` leaves such a tag.
    image(&repository, "archive", Some(&tag));
    let signature = attach(&repository, &subject, SIGNATURE, "a signature");
    assert_eq!(referrers(&repository, &subject.digest), [signature.digest]);

    let second = image(&repository, "second", Some("2"));
    let taken = image(
        &repository,
        "something else",
        Some(&list_tag(&second.digest)),
    );
    let document = referring(&repository, &second, SIGNATURE, "a signature");
    let bytes = bytes::Bytes::from(document.to_string());
    let descriptor = wasmcloud_par::content::Descriptor::of(super::MANIFEST, &bytes);
    let put = wasmcloud_par::content::internals::Push::put_manifest(
        &repository,
        &descriptor,
        &bytes,
        None,
    );
    let error = block_on(put).unwrap_err().to_string();
    assert!(error.contains("not an image index"), "{error}");
    let (kept, _) = block_on(repository.manifest(&list_tag(&second.digest))).unwrap();
    assert_eq!(kept.digest, taken.digest);
}

#[test]
fn an_entry_that_is_not_a_descriptor_does_not_hide_the_others() {
    let environment = Environment::new();
    let registry = ApiRegistry::start();
    let direct = repository(registry.address(), "org/x");
    let subject = image(&direct, "archive", Some("1"));
    let listed = attach(&direct, &subject, SIGNATURE, "a signature");
    let odd = json!({ "mediaType": MANIFEST, "digest": "sha256:1", "size": 7 });
    let mut entry = json!(listed);
    entry["annotations"] = json!({ "number": 1, "text": "kept" });
    let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [odd, entry] });
    let answer = Fault::Answer {
        status: "200 OK",
        headers: vec![("content-type", INDEX.to_owned())],
        body: list.to_string().leak(),
    };
    let path = format!("/referrers/{}", subject.digest);
    let rule = Rule::on("GET", &path, answer).always();
    let proxy = Proxy::to(registry.address(), vec![rule]);

    let through = repository(proxy.address(), "org/x");
    let found = block_on(through.referrers(&subject.digest, None)).unwrap();
    assert_eq!(digests(&found), slice::from_ref(&listed.digest));
    let annotations: Vec<_> = found[0].annotations.iter().collect();
    assert_eq!(annotations, [(&"text".to_owned(), &"kept".to_owned())]);
    let discover = ["discover", &proxy.reference("org/x:1")];
    let discovered = par(&environment, discover).success();
    assert!(
        discovered.stderr.contains("that are not descriptors"),
        "{discovered}"
    );
}

#[test]
fn entries_whose_manifests_are_gone_do_not_keep_others_from_being_listed() {
    let registry = Registry::start();
    let (host, name) = (registry.address(), "org/x");
    let repository = repository(host, name);
    let subject = image(&repository, "archive", Some("1"));
    let gone = attach(&repository, &subject, SIGNATURE, "gone");
    // Another client deletes the manifest, and leaves its entry.
    let delete = run_delete(host, name, &gone.digest);
    assert!(delete.contains("202"), "{delete}");
    let kept = attach(&repository, &subject, SBOM, "kept");
    let entries = list(host, name, &subject.digest)["manifests"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1);
    assert_eq!(entries[0]["digest"], json!(kept.digest));
}

/// Deletes a manifest, and returns the answer's status line.
fn run_delete(host: &str, name: &str, digest: &Digest) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let path = format!("/v2/{name}/manifests/{digest}");
    write!(
        stream,
        "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_referrers_of_a_layout_are_those_that_it_lists_and_those_that_oras_attaches() {
    let environment = Environment::new();
    let registry = Registry::start();
    let repository = repository(registry.address(), "org/x");
    let subject = image(&repository, "archive", Some("1"));
    let signature = attach(&repository, &subject, SIGNATURE, "a signature");
    let from = registry.reference("org/x:1");
    par(&environment, ["copy", &from, "oci-layout://layout:1"]).success();
    let options = ["--oci-layout"];
    let seen = discovered(&environment, &options, "layout:1");
    assert_eq!(seen, slice::from_ref(&signature.digest));
    // The only archive of the layout is still the only one.
    par(&environment, ["resolve", "oci-layout://layout"]).success();

    environment.write("file.txt", "by oras");
    let arguments = [
        "attach",
        "--oci-layout",
        "--artifact-type",
        "a/b",
        "layout:1",
    ];
    run(
        &environment,
        "oras",
        &[&arguments[..], &["file.txt:text/plain"]].concat(),
    );
    let seen = discovered(&environment, &options, "layout:1");
    assert_eq!(seen.len(), 2);
    par(&environment, ["resolve", "oci-layout://layout"]).success();
    let to = registry.reference("org/back:1");
    par(&environment, ["copy", "oci-layout://layout", &to]).success();
    let back = super::repository(registry.address(), "org/back");
    assert_eq!(referrers(&back, &subject.digest), seen);
    assert_eq!(
        INDEX,
        block_on(back.manifest(&list_tag(&subject.digest)))
            .unwrap()
            .0
            .media_type
    );
}

#[test]
fn a_registry_that_falls_silent_in_its_list_takes_no_longer_than_patience_allows() {
    let environment = Environment::new();
    let registry = ApiRegistry::start();
    image(
        &repository(registry.address(), "org/x"),
        "archive",
        Some("1"),
    );
    let silent = Fault::Withhold("200 OK");
    let proxy = Proxy::to(
        registry.address(),
        vec![Rule::on("GET", "/referrers/", silent).always()],
    );
    let started = Instant::now();
    let discover = ["discover", &proxy.reference("org/x:1"), "--patience", "1"];
    par(&environment, discover).exit(6);
    // Without a limit it takes 30 seconds.
    assert!(started.elapsed() < Duration::from_secs(20));
}
