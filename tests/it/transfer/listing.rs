//! Lists: the tags of a repository, and the referrers of a manifest.

use std::fs;

use serde_json::{Value, json};
use wasmcloud_par::content::internals::Referrer;
use wasmcloud_par::content::{Digest, ErrorKind};
use wasmcloud_par::oci::internals::{Registries, Repository};
use wasmcloud_par::oci::{Error, Reference, RegistryOptions};

use super::{block_on, par, peer, push, small};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, shared_registry, unique};

const SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const SBOM: &str = "application/spdx+json";

fn repository(host: &str, name: &str) -> Repository {
    repository_with(RegistryOptions::default(), host, name)
}

fn repository_with(options: RegistryOptions, host: &str, name: &str) -> Repository {
    let Reference::Registry(reference) = format!("{host}/{name}").parse().unwrap() else {
        panic!("{name} is in a registry")
    };
    Registries::new(options).unwrap().repository(&reference)
}

/// Returns a page of a list, with a link to the next page.
fn page(content_type: &str, body: &'static str, next: &str) -> Fault {
    let mut headers = vec![("content-type", content_type.to_owned())];
    if !next.is_empty() {
        headers.push(("link", format!("<{next}>; rel=\"next\"")));
    }
    Fault::Answer {
        status: "200 OK",
        headers,
        body,
    }
}

#[test]
fn tags_are_listed_on_a_line_each() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let repository = format!("{}/{}", shared_registry(), unique("tags"));
    for tag in ["1.1.0", "1.0.0"] {
        push(&environment, &format!("{repository}:{tag}"), &file);
    }
    let listed = par(&environment, ["tags", &repository]).success();
    assert_eq!(listed.stdout, "1.0.0\n1.1.0\n");
    let listed = par(&environment, ["tags", &repository, "-o", "json"]).success();
    assert_eq!(listed.json()["tags"], json!(["1.0.0", "1.1.0"]));

    let missing = format!("{}/{}", shared_registry(), unique("none"));
    par(&environment, ["tags", &missing]).exit(3);
}

#[test]
fn tags_are_listed_in_the_order_of_versions_and_with_their_details() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let repository = format!("{}/{}", shared_registry(), unique("tags"));
    let digest = push(&environment, &format!("{repository}:1.10.0"), &file);
    let attached = digest.replace(':', "-");
    let reference = format!("{repository}:1.10.0");
    par(
        &environment,
        ["tag", &reference, "1.9.0", "stable", "1.10.0-rc1"],
    )
    .success();
    par(
        &environment,
        ["tag", &reference, &attached, &format!("{attached}.sig")],
    )
    .success();
    let ordered = ["stable", "1.9.0", "1.10.0-rc1", "1.10.0"];
    let listed = par(&environment, ["tags", &repository, "--long", "-o", "json"]).success();
    assert_eq!(listed.json()["tags"], json!(ordered));
    let details = listed.json()["details"].clone();
    assert_eq!(details.as_array().unwrap().len(), ordered.len());
    let size = fs::metadata(&file).unwrap().len();
    assert_eq!(details[3]["digest"], digest);
    assert_eq!(details[3]["size"], size);
    assert!(details[3]["signed"].as_str().unwrap().ends_with('Z'));
    let long = par(&environment, ["tags", &repository, "--long"]).success();
    assert!(
        long.stdout.lines().all(|line| line.contains(&digest)),
        "{long}"
    );
    let all = par(&environment, ["tags", &repository, "--all"]).success();
    assert_eq!(all.stdout.lines().count(), ordered.len() + 2);
}

#[test]
fn the_tags_of_a_layout_are_listed() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    for tag in ["1.1.0", "1.0.0"] {
        push(&environment, &format!("oci-layout://layout:{tag}"), &file);
    }
    // Other tools write names into a layout that are not tags.
    let index = environment.path("layout/index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replace("1.1.0", "ghcr.io/x:1")).unwrap();
    push(&environment, "oci-layout://layout:1.2.0", &file);
    let layout = "oci-layout://layout";
    let listed = par(&environment, ["tags", layout]).success();
    assert_eq!(listed.stdout, "1.0.0\n1.2.0\n");
    let listed = par(&environment, ["tags", layout, "-o", "json"]).success();
    assert_eq!(listed.json()["tags"], json!(["1.0.0", "1.2.0"]));
    assert_eq!(listed.json()["repository"], layout);
    par(&environment, ["tags", "oci-layout://none"]).exit(3);
}

#[test]
fn a_list_continues_only_at_links_to_the_same_registry() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let name = unique("pages");
    push(
        &environment,
        &format!("{}/{name}:1.0.0", shared_registry()),
        &file,
    );
    let first = |next: &str| page("application/json", r#"{"tags": ["0.9.0"]}"#, next);
    let path = format!("/v2/{name}/tags/list");
    let list = |next: &str, times| {
        let rule = Rule::on("GET", "tags/list", first(next)).times(times);
        let proxy = Proxy::to(shared_registry(), vec![rule]);
        let outcome = par(&environment, ["tags", &proxy.reference(&name)]);
        (outcome, proxy.seen("GET", "tags/list"))
    };
    let (listed, seen) = list(&format!("{path}?last=0.9.0"), 1);
    assert_eq!(listed.success().stdout, "0.9.0\n1.0.0\n");
    assert_eq!(seen[1].target, format!("{path}?last=0.9.0"));

    let stranger = Proxy::to(shared_registry(), Vec::new());
    let (refused, _) = list(&format!("http://{}{path}", stranger.address()), 1);
    let refused = refused.exit(5);
    assert!(
        refused.stderr.contains("which is not the registry"),
        "{refused}"
    );
    assert!(stranger.seen("GET", "").is_empty());

    let (refused, seen) = list(&format!("{path}?last=0.9.0"), usize::MAX);
    let refused = refused.exit(5);
    assert!(refused.stderr.contains("the same page"), "{refused}");
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_warning_of_the_registry_is_printed_once() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let name = unique("warned");
    push(
        &environment,
        &format!("{}/{name}:1.0.0", shared_registry()),
        &file,
    );
    let warning = Fault::edit(|answer| answer.set("warning", "299 - \"the plan ends soon\""));
    let proxy = Proxy::to(
        shared_registry(),
        vec![Rule::on("GET", "", warning).always()],
    );
    let reference = proxy.reference(&format!("{name}:1.0.0"));
    let verified = par(&environment, ["verify", &reference]).success();
    assert!(proxy.seen("GET", "").len() > 1);
    let printed = verified.stderr.matches("says: the plan ends soon").count();
    assert_eq!(printed, 1, "{verified}");
}

fn referrer(digest: &Digest, artifact_type: &str) -> Value {
    json!({
        "mediaType": peer::MANIFEST,
        "digest": digest,
        "size": 2,
        "artifactType": artifact_type,
        "annotations": { "made": "by a test" },
    })
}

fn digests(referrers: &[Referrer]) -> Vec<Digest> {
    let digests = referrers.iter().map(|referrer| &referrer.descriptor.digest);
    digests.cloned().collect()
}

#[test]
fn without_a_referrers_api_the_fallback_tag_is_read() {
    let name = unique("referrers");
    let reference = format!("{}/{name}:1.0.0", shared_registry());
    let subject: Digest = peer::push(&reference, b"archive").parse().unwrap();
    let repository = repository(shared_registry(), &name);
    assert_eq!(block_on(repository.referrers(&subject, None)).unwrap(), []);

    // `registry:2` accepts an index only when its manifests exist.
    let children = [SIGNATURE, SBOM].map(|artifact_type| {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": peer::MANIFEST,
            "config": peer::push_blob(&reference, artifact_type, b"{}"),
            "layers": [],
            "subject": { "mediaType": peer::MANIFEST, "digest": subject, "size": 2 },
        });
        let reference = format!("{}/{name}:{}", shared_registry(), artifact_type.len());
        let digest = peer::push_manifest(&reference, peer::MANIFEST, &manifest);
        digest.parse::<Digest>().unwrap()
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": peer::INDEX,
        "manifests": [referrer(&children[0], SIGNATURE), referrer(&children[1], SBOM)],
    });
    let tag = subject.to_string().replace(':', "-");
    let tagged = format!("{}/{name}:{tag}", shared_registry());
    peer::push_manifest(&tagged, peer::INDEX, &index);
    let all = block_on(repository.referrers(&subject, None)).unwrap();
    assert_eq!(digests(&all), children);
    assert_eq!(all[1].artifact_type.as_deref(), Some(SBOM));
    assert_eq!(all[1].annotations["made"], "by a test");
    let signatures = block_on(repository.referrers(&subject, Some(SIGNATURE))).unwrap();
    assert_eq!(digests(&signatures), children[..1]);

    // `cosign copy` makes the tag name the subject itself.
    peer::push(&tagged, b"archive");
    assert_eq!(block_on(repository.referrers(&subject, None)).unwrap(), []);
    // The tag names another manifest that is not an index.
    peer::push(&tagged, b"another archive");
    let error = block_on(repository.referrers(&subject, None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error}");
}

#[test]
fn referrers_that_a_mirror_does_not_know_come_from_the_registry() {
    let index = page(peer::INDEX, TWO, "");
    let rules = vec![Rule::on("GET", "/referrers/", index).always()];
    let origin = Proxy::to(shared_registry(), rules);
    // The mirror has neither the referrers API nor the fallback tag.
    let mirror = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let entry = directory.path().join(origin.address());
    fs::create_dir(&entry).unwrap();
    let hosts = format!("[host.\"http://{}\"]", mirror.address());
    fs::write(entry.join("hosts.toml"), hosts).unwrap();
    let mut options = RegistryOptions::default();
    options.hosts_directory = Some(directory.path().to_owned());
    let repository = repository_with(options, origin.address(), &unique("mirrored"));
    let subject = Digest::of(b"subject");
    let found = block_on(repository.referrers(&subject, None)).unwrap();
    assert_eq!(found.len(), 2);
    let requests = mirror.requests();
    assert!(
        requests.iter().any(|line| line.contains("/referrers/")),
        "{requests:?}"
    );
    let none = block_on(repository.referrers(&subject, Some("c/d"))).unwrap();
    assert_eq!(none, []);
}

const TWO: &str = r#"{"schemaVersion": 2, "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "artifactType": "a/b",
     "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001"},
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "annotations": null,
     "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000002"}]}"#;
const NONE: &str = r#"{"schemaVersion": 2, "manifests": null}"#;

/// Returns the referrers when the API gives these answers.
fn asked(answers: Vec<Fault>, artifact_type: Option<&str>) -> Result<Vec<Referrer>, Error> {
    let rules = answers.into_iter();
    let rules = rules.map(|answer| Rule::on("GET", "/referrers/", answer));
    let proxy = Proxy::to(shared_registry(), rules.collect());
    let repository = repository(proxy.address(), &unique("api"));
    let found = block_on(repository.referrers(&Digest::of(b"subject"), artifact_type));
    if let (Some(artifact_type), Some(seen)) = (artifact_type, proxy.seen("GET", "/ref").first()) {
        let wanted = artifact_type.replace('/', "%2F");
        assert!(seen.target.ends_with(&format!("?artifactType={wanted}")));
    }
    found
}

#[test]
fn the_referrers_api_is_read_page_by_page_and_filtered_once() {
    let first = |next: &str| page(peer::INDEX, TWO, next);
    assert_eq!(asked(vec![first("")], None).unwrap().len(), 2);
    assert_eq!(asked(vec![first("")], Some("a/b")).unwrap().len(), 1);
    // The client does not filter a list again that the registry has filtered.
    let mut filtered = first("");
    if let Fault::Answer { headers, .. } = &mut filtered {
        headers.push(("oci-filters-applied", "artifactType".to_owned()));
    }
    assert_eq!(asked(vec![filtered], Some("a/b")).unwrap().len(), 2);
    let pages = vec![
        first("?page=2"),
        first("?page=3"),
        page(peer::INDEX, NONE, ""),
    ];
    assert_eq!(asked(pages, None).unwrap().len(), 4);

    // A list that ends with an error is not complete.
    let gone = vec![first("?page=2"), Fault::status("404 Not Found")];
    let error = asked(gone, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error}");
    let malformed = vec![page(peer::INDEX, "{", "")];
    assert!(matches!(asked(malformed, None), Err(Error::Json { .. })));
    // An answer of another content type means that there is no API.
    let site = vec![page("text/html", "<html>", "")];
    assert_eq!(asked(site, None).unwrap(), []);
    let denied = asked(vec![Fault::status("403 Forbidden")], None).unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied, "{denied}");
}
