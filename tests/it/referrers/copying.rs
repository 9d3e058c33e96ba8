//! `par copy` also copies what belongs to a manifest.

use std::collections::BTreeSet;
use std::slice;

use serde_json::json;
use wasmcloud_par::content::{Descriptor, Digest};
use wasmcloud_par::oci::internals::Repository;

use super::{
    SBOM, SIGNATURE, attach, changes, discovered, image, index, list_tag, manifest, referrers,
    referring, repository,
};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{ApiRegistry, Environment, Registry, block_on};
use crate::transfer::par;

/// An index of two images, with a signature, a bill of materials that is signed too, a referrer of one of the images,
/// and a signature of cosign's older kind.
struct Signed {
    index: Descriptor,
    signature: Descriptor,
    sbom: Descriptor,
    nested: Descriptor,
    of_child: Descriptor,
    child: Descriptor,
    tagged: Descriptor,
}

impl Signed {
    fn store(to: &Repository) -> Self {
        let child = image(to, "one", None);
        let index = index(to, &[&child, &image(to, "two", None)], Some("1"));
        let sbom = attach(to, &index, SBOM, "a bill of materials");
        let cosign = format!("{}.sig", list_tag(&index.digest));
        Self {
            signature: attach(to, &index, SIGNATURE, "a signature"),
            nested: attach(to, &sbom, SIGNATURE, "a signature of the bill"),
            of_child: attach(to, &child, SIGNATURE, "a signature of one"),
            tagged: image(to, "an older signature", Some(&cosign)),
            index,
            sbom,
            child,
        }
    }

    /// Asserts that a repository has all of these manifests, and lists the referrers.
    #[track_caller]
    fn assert_in(&self, repository: &Repository) {
        let all = super::sorted([&self.signature, &self.sbom]);
        assert_eq!(referrers(repository, &self.index.digest), all);
        let nested = referrers(repository, &self.sbom.digest);
        assert_eq!(nested, slice::from_ref(&self.nested.digest));
        let of_child = referrers(repository, &self.child.digest);
        assert_eq!(of_child, slice::from_ref(&self.of_child.digest));
        let tag = format!("{}.sig", list_tag(&self.index.digest));
        let (tagged, _) = block_on(repository.manifest(&tag)).unwrap();
        assert_eq!(tagged, self.tagged);
        for digest in all.iter().chain(&nested).chain(&of_child) {
            block_on(repository.manifest(&digest.to_string())).unwrap();
        }
    }
}

#[test]
fn the_referrers_of_an_index_are_copied_between_all_kinds_of_places_and_a_second_run_sends_nothing()
{
    let environment = Environment::new();
    let (first, last) = (Registry::start(), Registry::start());
    let with_api = ApiRegistry::start();
    let signed = Signed::store(&repository(first.address(), "org/x"));
    let through = [
        first.reference("org/x:1"),
        with_api.reference("org/x:1"),
        "oci-layout://layout:1".to_owned(),
        last.reference("org/elsewhere:2"),
        with_api.reference("org/again:2"),
    ];
    for pair in through.windows(2) {
        let copied = par(&environment, ["copy", &pair[0], &pair[1], "-o", "json"]);
        let answer = copied.success().json();
        assert_eq!(answer["referrers"], 4, "{pair:?}");
        assert_eq!(answer["attached_tags"], 1, "{pair:?}");
        assert_eq!(answer["left_out"], json!([]));
    }
    signed.assert_in(&repository(with_api.address(), "org/x"));
    signed.assert_in(&repository(last.address(), "org/elsewhere"));
    signed.assert_in(&repository(with_api.address(), "org/again"));
    let seen = discovered(&environment, &["--oci-layout"], "layout:1");
    assert_eq!(seen, super::sorted([&signed.signature, &signed.sbom]));
    // The list of referrers is not copied, because the destination has its own list with the same entries.
    let tags: BTreeSet<_> = block_on(repository(with_api.address(), "org/x").tags())
        .unwrap()
        .into_iter()
        .collect();
    let cosign = format!("{}.sig", list_tag(&signed.index.digest));
    assert_eq!(tags, BTreeSet::from(["1".to_owned(), cosign]));

    for (host, name) in [
        (last.address(), "org/elsewhere:2"),
        (with_api.address(), "org/x:1"),
    ] {
        let proxy = Proxy::to(host, Vec::new());
        let to = proxy.reference(name);
        let outcome = par(&environment, ["copy", "oci-layout://layout:1", &to]).success();
        assert!(
            outcome
                .stderr
                .contains("copied with 4 referrers and 1 attached tag"),
            "{outcome}"
        );
        assert_eq!(changes(&proxy), [""; 0]);
    }
}

#[test]
fn the_tag_moves_when_everything_is_there() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), Registry::start());
    Signed::store(&repository(from.address(), "org/x"));
    let proxy = Proxy::start(&to, Vec::new());
    let destination = proxy.reference("org/x:moved");
    par(
        &environment,
        ["copy", &from.reference("org/x:1"), &destination],
    )
    .success();
    let changes = changes(&proxy);
    let tagged = changes
        .iter()
        .filter(|line| line.ends_with("/manifests/moved"));
    assert_eq!(tagged.count(), 1);
    assert!(
        changes.last().unwrap().ends_with("/manifests/moved"),
        "{changes:#?}"
    );
}

#[test]
fn without_referrers_no_request_is_about_them() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), Registry::start());
    let signed = Signed::store(&repository(from.address(), "org/x"));
    let proxy = Proxy::start(&from, Vec::new());
    let (source, destination) = (proxy.reference("org/x:1"), to.reference("org/x:1"));
    let copied = par(
        &environment,
        [
            "copy",
            "--without-referrers",
            &source,
            &destination,
            "-o",
            "json",
        ],
    );
    assert_eq!(copied.success().json()["referrers"], 0);
    assert!(proxy.seen("GET", "/referrers/").is_empty());
    let there = repository(to.address(), "org/x");
    assert!(referrers(&there, &signed.index.digest).is_empty());
    assert_eq!(block_on(there.tags()).unwrap(), ["1"]);
}

#[test]
fn an_outage_while_referrers_are_listed_is_an_error_and_no_tag_moves() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), Registry::start());
    Signed::store(&repository(from.address(), "org/x"));
    for path in ["/referrers/", "/manifests/sha256-", "/tags/list"] {
        let away = Fault::status("503 Service Unavailable");
        let proxy = Proxy::start(&from, vec![Rule::on("GET", path, away).always()]);
        let destination = to.reference("org/x:1");
        let copied = par(
            &environment,
            ["copy", &proxy.reference("org/x:1"), &destination],
        );
        copied.exit(6);
        par(&environment, ["resolve", &destination]).exit(3);
    }
}

#[test]
fn a_referrer_that_the_destination_refuses_is_named_and_the_others_are_copied() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), Registry::start());
    let signed = Signed::store(&repository(from.address(), "org/x"));
    let refused = Fault::status("400 Bad Request");
    let path = format!("/manifests/{}", signed.signature.digest);
    let proxy = Proxy::start(&to, vec![Rule::on("PUT", &path, refused).always()]);
    let source = from.reference("org/x:1");
    let copied = par(&environment, ["copy", &source, &proxy.reference("org/x:1")]).exit(1);
    assert!(
        copied.stderr.contains(&signed.signature.digest.to_string()),
        "{copied}"
    );
    assert!(copied.stderr.contains("--without-referrers"), "{copied}");
    let there = repository(to.address(), "org/x");
    let sbom = [signed.sbom.digest.clone()];
    assert_eq!(referrers(&there, &signed.index.digest), sbom);
    par(&environment, ["resolve", &to.reference("org/x:1")]).exit(3);

    // Where nothing is refused, a second copy sends the missing manifests.
    let proxy = Proxy::start(&to, Vec::new());
    par(&environment, ["copy", &source, &proxy.reference("org/x:1")]).success();
    signed.assert_in(&there);
    assert_eq!(proxy.seen("PUT", &path).len(), 1);
    let sbom = format!("/manifests/{}", signed.sbom.digest);
    assert!(proxy.seen("PUT", &sbom).is_empty());
}

#[test]
fn an_interrupted_copy_is_continued_by_the_next_one() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), ApiRegistry::start());
    let signed = Signed::store(&repository(from.address(), "org/x"));
    let source = from.reference("org/x:1");
    // The destination stops answering after this number of requests that store something.
    for number in [1, 2, 3, 4] {
        let away = || Fault::status("503 Service Unavailable");
        let rules =
            ["PUT", "POST"].map(|method| Rule::on(method, "/v2/", away()).after(number).always());
        let proxy = Proxy::to(to.address(), rules.to_vec());
        par(&environment, ["copy", &source, &proxy.reference("org/x:1")]).exit(6);
    }
    par(&environment, ["copy", &source, &to.reference("org/x:1")]).success();
    signed.assert_in(&repository(to.address(), "org/x"));
}

#[test]
fn a_listed_manifest_without_the_subject_is_not_copied_and_a_missing_one_gives_a_warning() {
    let environment = Environment::new();
    let (from, to) = (ApiRegistry::start(), ApiRegistry::start());
    let here = repository(from.address(), "org/x");
    let subject = image(&here, "archive", Some("1"));
    let stranger = image(&here, "a stranger", None);
    let missing = Digest::of(b"missing");
    let claimed = json!({
        "schemaVersion": 2,
        "manifests": [
            { "mediaType": super::MANIFEST, "digest": stranger.digest, "size": stranger.size },
            { "mediaType": super::MANIFEST, "digest": missing, "size": 7 },
        ],
    });
    // The proxy lives as long as the test.
    let claimed: &'static str = Box::leak(claimed.to_string().into_boxed_str());
    let headers = vec![("content-type", super::INDEX.to_owned())];
    let wrong = Fault::Answer {
        status: "200 OK",
        headers,
        body: claimed,
    };
    let path = format!("/referrers/{}", subject.digest);
    let proxy = Proxy::to(from.address(), vec![Rule::on("GET", &path, wrong).always()]);
    let (source, destination) = (proxy.reference("org/x:1"), to.reference("org/x:1"));
    let copied = par(&environment, ["copy", &source, &destination, "-o", "json"]).success();
    let answer = copied.json();
    assert_eq!(answer["referrers"], 0);
    assert_eq!(answer["left_out"][0]["digest"], json!(missing));
    assert!(copied.stderr.contains(&missing.to_string()), "{copied}");
    let there = repository(to.address(), "org/x");
    block_on(there.manifest(&stranger.digest.to_string())).unwrap_err();
}

#[test]
fn a_long_list_of_what_is_missing_is_one_warning() {
    let environment = Environment::new();
    let (from, to) = (ApiRegistry::start(), ApiRegistry::start());
    let subject = image(&repository(from.address(), "org/x"), "archive", Some("1"));
    let missing = (0..20).map(|number| Digest::of(format!("missing {number}").as_bytes()));
    let entries =
        missing.map(|digest| json!({ "mediaType": super::MANIFEST, "digest": digest, "size": 7 }));
    let list = json!({ "schemaVersion": 2, "manifests": entries.collect::<Vec<_>>() });
    // The proxy lives as long as the test.
    let list: &'static str = Box::leak(list.to_string().into_boxed_str());
    let wrong = Fault::Answer {
        status: "200 OK",
        headers: vec![("content-type", super::INDEX.to_owned())],
        body: list,
    };
    let path = format!("/referrers/{}", subject.digest);
    let proxy = Proxy::to(from.address(), vec![Rule::on("GET", &path, wrong).always()]);
    let (source, destination) = (proxy.reference("org/x:1"), to.reference("org/x:1"));
    let copy = ["copy", &source, &destination, "-o", "json"];
    let discover = ["discover", &source, "-o", "json"];
    for command in [&copy[..], &discover] {
        let answer = environment.par(command).success().json();
        let warnings = answer["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{answer}");
        let warning = warnings[0].as_str().unwrap();
        assert!(warning.contains("20 manifests"), "{warning}");
        assert!(warning.contains("and 17 others"), "{warning}");
    }
    // The attachments arrive in any order, and the answer does not depend on it.
    let answer = environment.par(copy).success().json();
    let left_out = answer["left_out"].as_array().unwrap().iter();
    let left_out: Vec<_> = left_out
        .map(|left_out| left_out["digest"].as_str().unwrap())
        .collect();
    assert_eq!(left_out.len(), 20);
    assert!(left_out.is_sorted(), "{left_out:?}");
}

#[test]
fn a_referrer_is_copied_with_its_subject_and_not_with_other_referrers_of_the_subject() {
    let environment = Environment::new();
    let (from, to) = (Registry::start(), Registry::start());
    let here = repository(from.address(), "org/x");
    let subject = image(&here, "archive", Some("1"));
    attach(&here, &subject, SIGNATURE, "another signature");
    let document = referring(&here, &subject, SBOM, "a bill of materials");
    let sbom = manifest(&here, &document, Some("sbom"));
    let nested = attach(&here, &sbom, SIGNATURE, "a signature of the bill");
    let (source, destination) = (from.reference("org/x:sbom"), to.reference("org/x:sbom"));
    par(&environment, ["copy", &source, &destination]).success();
    let there = repository(to.address(), "org/x");
    assert_eq!(
        referrers(&there, &subject.digest),
        slice::from_ref(&sbom.digest)
    );
    assert_eq!(referrers(&there, &sbom.digest), [nested.digest]);
}
