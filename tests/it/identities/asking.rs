//! When the registry is asked for Sigstore bundles, and when remembered ones are used.

use super::*;

#[test]
fn a_fetch_from_the_cache_sends_no_more_requests_than_without_a_policy() {
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, "");
    site.fetch(&[]).success();
    let before = site.registry.requests().len();
    site.fetch(&[]).success();
    let requests = site.registry.requests();
    let [request] = &requests[before..] else {
        panic!("{:?}", &requests[before..]);
    };
    assert!(request.starts_with("HEAD"), "{request}");
    // With the policy `never`, no request is sent.
    let before = requests.len();
    for pull in ["never", "missing"] {
        site.fetch(&["--pull", pull]).success();
    }
    assert_eq!(site.registry.requests().len(), before);
}

#[test]
fn a_host_without_a_policy_asks_for_no_bundle() {
    let site = Site::with(&["signature.json"]);
    let before = site.registry.requests().len();
    site.fetch(&[]).success();
    let requests = site.registry.requests();
    let asked = requests[before..].iter();
    let about =
        asked.filter(|request| request.contains("referrers") || request.contains("sha256-"));
    assert_eq!(about.count(), 0, "{requests:?}");
}

#[test]
fn a_refused_archive_is_not_downloaded() {
    let site = Site::new();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    site.refusal();
    let requests = site.registry.requests();
    let downloads = |request: &&String| request.starts_with("GET") && request.contains(layer);
    assert_eq!(requests.iter().filter(downloads).count(), 0, "{requests:?}");
}

#[test]
fn a_policy_that_demands_more_later_needs_another_bundle() {
    let site = Site::with(&["signature.json"]);
    site.fetch(&[]).success();
    site.demand(DEVELOPER, "");
    // The archive is cached, and its bundle is not.
    let refused = site.fetch(&["--pull", "never"]).exit(3);
    assert!(
        refused.stderr.contains("no registry may be asked"),
        "{refused}"
    );
    site.fetch(&["--pull", "missing"]).success();
    site.fetch(&["--pull", "never"]).success();
    site.demand(WORKFLOW, "");
    site.fetch(&["--pull", "never"]).exit(3);
    let refused = site.fetch(&[]).exit(5);
    assert!(
        refused.stderr.contains("it was signed by dev@acme.test"),
        "{refused}"
    );
}

#[test]
fn a_remembered_bundle_is_verified_again() {
    let site = Site::with(&["signature.json"]);
    let root = site
        .environment
        .write("root.json", read("trusted_root.json"));
    site.configure(&format!(
        "[[rule]]\nmatch = \"*\"\n[[rule.identity]]\nissuer = {:?}\nsubject = {:?}\nroot = {root:?}",
        DEVELOPER.1, DEVELOPER.0
    ));
    site.fetch(&[]).success();
    // The operator replaces the trusted root: the instance is not trusted any more.
    fs::write(&root, read("another_root.json")).unwrap();
    site.fetch(&["--pull", "never"]).exit(3);
    site.fetch(&[]).exit(5);
    fs::write(&root, "{}").unwrap();
    let refused = site.fetch(&[]).exit(2);
    assert!(refused.stderr.contains("cannot be used"), "{refused}");
    fs::remove_file(&root).unwrap();
    let refused = site.fetch(&[]).exit(3);
    assert!(
        refused.stderr.contains("cannot read the trusted root"),
        "{refused}"
    );
}

#[test]
fn without_the_registry_only_archives_with_a_remembered_bundle_start() {
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, "");
    site.fetch(&[]).success();
    let reference = site.reference();
    let Site {
        environment,
        registry,
        ..
    } = site;
    drop(registry);
    let fetch = ["fetch", &reference, "--target", "x86_64-linux"];
    let stale = environment.par(fetch).success();
    assert!(stale.stderr.contains("is unconfirmed since"), "{stale}");
}

#[test]
fn an_audit_warns_and_pins_nothing() {
    let site = Site::new();
    let root = fixture("trusted_root.json");
    site.configure(&format!(
        "[[rule]]\nmatch = \"*\"\naudit = true\npin = \"first-use\"\n[[rule.identity]]\n\
         issuer = {:?}\nsubject = {:?}\nroot = {root:?}",
        DEVELOPER.1, DEVELOPER.0
    ));
    let allowed = site.fetch(&[]).success();
    let warned = "allowed, because the trust policy audits: ";
    assert!(allowed.stderr.contains(warned), "{allowed}");
    let listed = site
        .environment
        .par(["trust", "list", "-o", "json"])
        .success();
    assert_eq!(listed.json()["identities"], json!([]), "{listed}");

    // The identity that the user demands is not audited.
    let reference = site.reference();
    let verify = ["verify", &reference, "--identity", DEVELOPER.0];
    let identity = [
        "--identity-issuer",
        DEVELOPER.1,
        "--trusted-root",
        text(&root),
    ];
    let refused = site.environment.par([&verify[..], &identity].concat());
    refused.exit(5);
}

#[test]
fn bundles_are_read_from_a_layout() {
    let site = Site::with(&["signature.json"]);
    let layout = site.environment.path("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    let stored = site
        .registry
        .storage()
        .join("docker/registry/v2/blobs/sha256");
    for prefix in fs::read_dir(stored).unwrap() {
        for blob in fs::read_dir(prefix.unwrap().path()).unwrap() {
            let blob = blob.unwrap();
            fs::copy(blob.path().join("data"), blobs.join(blob.file_name())).unwrap();
        }
    }
    let mut named = site.manifest.clone();
    named["annotations"] = json!({ "org.opencontainers.image.ref.name": "1.0.0" });
    let manifests: Vec<Value> = [named].into_iter().chain(site.referrers.clone()).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": peer::INDEX, "manifests": manifests });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();

    let root = fixture("trusted_root.json");
    let verify = |identity: (&str, &str)| {
        let reference = format!("oci-layout://{}:1.0.0", layout.display());
        let identity = ["--identity", identity.0, "--identity-issuer", identity.1];
        let root = ["--trusted-root", text(&root)];
        let environment = Environment::new();
        environment.par([&["verify", &*reference][..], &identity, &root].concat())
    };
    verify(DEVELOPER).success();
    verify(WORKFLOW).exit(5);
}

#[test]
fn bundles_travel_through_a_tar_to_another_registry() {
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, "");
    let there = Registry::start();
    let (reference, mirror) = (site.reference(), there.reference("mirror"));
    let par = |arguments: &[&str]| site.environment.par(arguments).success();
    par(&["mirror", &reference, "oci-archive://carried.tar"]);
    par(&["mirror", "carried.tar", &mirror]);
    let copied = there.reference("copied:1.0.0");
    let carried = format!("oci-archive://carried.tar:{reference}");
    par(&["copy", &carried, &copied]);

    let root = fixture("trusted_root.json");
    for reference in [carried, copied] {
        let vouched = |identity: (&str, &str)| {
            let identity = ["--identity", identity.0, "--identity-issuer", identity.1];
            let root = ["--trusted-root", text(&root)];
            let verify = [&["verify", &*reference][..], &identity, &root].concat();
            site.environment.par(verify)
        };
        vouched(DEVELOPER).success();
        vouched(WORKFLOW).exit(5);
    }
}

#[test]
fn a_bundle_with_a_wrong_type_in_the_list_is_found() {
    let mut site = Site::with(&["signature.json"]);
    // ghcr.io lists the bundles of cosign with this type.
    site.referrers[0]["artifactType"] = "application/vnd.oci.empty.v1+json".into();
    site.list_referrers();
    site.demand(DEVELOPER, "");
    site.fetch(&[]).success();
}

#[test]
fn a_mirror_that_has_no_bundle_leads_to_the_registry() {
    let (site, mirror) = (Site::with(&["signature.json"]), Site::new());
    site.demand(DEVELOPER, "");
    let (registry, mirror) = (site.registry.address(), mirror.registry.address());
    let hosts = format!("[host.\"http://{mirror}\"]");
    let path = format!(".config/wasmcloud-par/hosts/{registry}/hosts.toml");
    let path = site.environment.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, hosts).unwrap();
    let fetched = site.fetch(&["-o", "json"]).success().json();
    let from = [mirror, registry].map(|host| Value::from(host.to_owned()));
    assert_eq!(fetched["from"], Value::from(from.to_vec()), "{fetched}");
}

/// Returns how many requests a fetch from a cold cache takes.
fn cold_fetch(site: &Site) -> usize {
    let cache = site.environment.home().join(".cache/wasmcloud-par/v1");
    for directory in ["blobs", "bundles", "executables", "references"] {
        if cache.join(directory).exists() {
            fs::remove_dir_all(cache.join(directory)).unwrap();
        }
    }
    let before = site.registry.requests().len();
    site.fetch(&[]).success();
    site.registry.requests().len() - before
}

#[test]
fn a_cold_fetch_asks_for_the_list_and_for_one_bundle() {
    let plain = cold_fetch(&Site::with(&["signature.json"]));
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, "");
    // The API, which the registry does not have; the tag in its place; the manifest of the bundle; and the bundle.
    assert_eq!(cold_fetch(&site) - plain, 4);
    // The cache remembers that the registry has no such API.
    assert_eq!(cold_fetch(&site) - plain, 3);
}

#[test]
fn a_bundle_in_its_manifest_takes_no_request_of_its_own() {
    let plain = cold_fetch(&Site::with(&["signature.json"]));
    let mut site = Site::new();
    site.attach_embedded(&read("signature.json"));
    site.demand(DEVELOPER, "");
    assert_eq!(cold_fetch(&site) - plain, 3);
    // The tag and the manifest.
    assert_eq!(cold_fetch(&site) - plain, 2);
}

#[test]
fn a_bundle_that_is_not_the_one_in_its_manifest_does_not_count() {
    let mut site = Site::new();
    // The registry has a bundle that expired, and its manifest embeds the good one.
    let manifest = site.manifest.clone();
    let mut layer = peer::push_blob(&site.reference(), BUNDLE, &read("expired.json"));
    layer["data"] = BASE64.encode(&read("signature.json")).into();
    site.attach_layer(&manifest, layer);
    let said = site.refusal();
    assert!(
        said.contains("had expired at the time of the signature"),
        "{said}"
    );
}

#[test]
fn a_signature_of_an_image_index_vouches_for_the_chosen_manifest() {
    let mut site = Site::new();
    site.demand(DEVELOPER, "");
    let reference = site.registry.reference(&format!("{REPOSITORY}:index"));
    let index = peer::push_bytes(&reference, peer::INDEX, &read("index.json"));
    let fetch = ["fetch", &*reference, "--target", "x86_64-linux"];
    let refused = site.environment.par(fetch).exit(5);
    assert!(
        refused.stderr.contains("has no Sigstore bundle"),
        "{refused}"
    );
    let layer = peer::push_blob(&reference, BUNDLE, &read("index-signature.json"));
    site.attach_layer(&index, layer);
    site.list_referrers_of(index["digest"].as_str().unwrap());
    site.environment.par(fetch).success();
    site.environment
        .par([&fetch[..], &["--pull", "never"]].concat())
        .success();
    // The manifest by itself is still unsigned.
    site.fetch(&["--pull", "always"]).exit(5);
}
