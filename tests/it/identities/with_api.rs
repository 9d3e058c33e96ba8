//! Identities in a registry with the referrers API.

use super::*;
use crate::support::ApiRegistry;
use crate::support::proxy::{Fault, Proxy, Rule};

/// A registry with the referrers API and the signed archive, behind a proxy that counts, and a user of it.
struct ApiSite {
    environment: Environment,
    registry: ApiRegistry,
    proxy: Proxy,
}

impl ApiSite {
    /// Starts a registry that has the archive and these bundles, each with the type of its statement.
    fn with(bundles: &[(&str, &str)]) -> Self {
        let mut site = Site::new();
        for (name, predicate) in bundles {
            site.attach_as(&read(name), predicate);
        }
        Self::copy_of(&site)
    }

    /// Starts a registry that has what another one has.
    fn copy_of(site: &Site) -> Self {
        let registry = ApiRegistry::start();
        let copied = registry.reference(&format!("{REPOSITORY}:1.0.0"));
        site.environment
            .par(["copy", &site.reference(), &copied])
            .success();
        Self {
            environment: Environment::new(),
            proxy: Proxy::to(registry.address(), Vec::new()),
            registry,
        }
    }

    fn reference(&self) -> String {
        self.proxy.reference(&format!("{REPOSITORY}:1.0.0"))
    }

    fn demand(&self, identity: (&str, &str), more: &str) {
        configure(&self.environment, &policy(identity, more));
    }

    fn fetch(&self, options: &[&str]) -> Outcome {
        let reference = self.reference();
        let fetch = ["fetch", &reference, "--target", "x86_64-linux"];
        self.environment.par([&fetch[..], options].concat())
    }

    /// Returns how many requests a fetch takes that succeeds.
    fn requests_of_fetch(&self) -> usize {
        let seen = || self.proxy.seen("GET", "").len() + self.proxy.seen("HEAD", "").len();
        let before = seen();
        self.fetch(&[]).success();
        seen() - before
    }
}

/// Returns how many requests a fetch without a policy takes.
fn plain() -> usize {
    ApiSite::with(&[("signature.json", SIGNATURE)]).requests_of_fetch()
}

#[test]
fn a_cold_fetch_asks_for_the_list_and_one_bundle_and_a_warm_one_for_nothing() {
    let site = ApiSite::with(&[("signature.json", SIGNATURE)]);
    site.demand(DEVELOPER, "");
    // The list, the manifest of the bundle, and the bundle.
    assert_eq!(site.requests_of_fetch() - plain(), 3);
    assert_eq!(site.proxy.seen("GET", "/referrers/").len(), 1);
    // Whether the tag has moved.
    assert_eq!(site.requests_of_fetch(), 1);
    let seen = site.proxy.seen("GET", "").len();
    site.fetch(&["--pull", "never"]).success();
    assert_eq!(site.proxy.seen("GET", "").len(), seen);
}

#[test]
fn a_bundle_in_its_manifest_makes_two_requests() {
    let mut embedding = Site::new();
    embedding.attach_embedded(&read("signature.json"));
    let site = ApiSite::copy_of(&embedding);
    site.demand(DEVELOPER, "");
    assert_eq!(site.requests_of_fetch() - plain(), 2);
}

#[test]
fn the_list_says_which_of_several_bundles_is_of_the_demanded_type() {
    let site = ApiSite::with(&[
        ("signature.json", SIGNATURE),
        ("expired.json", SIGNATURE),
        ("provenance.json", PROVENANCE),
    ]);
    site.demand(WORKFLOW, &format!("predicate = {PROVENANCE:?}"));
    assert_eq!(site.requests_of_fetch() - plain(), 3);
}

#[test]
fn what_does_not_count_is_refused() {
    let refusal = |bundles: &[(&str, &str)], identity| {
        let site = ApiSite::with(bundles);
        site.demand(identity, "");
        site.fetch(&[]).exit(5).stderr.clone()
    };
    for (name, said) in [
        ("signature.json", "it was signed by dev@acme.test"),
        ("other-subject.json", "its statement is about other content"),
        ("expired.json", "its certificate had expired"),
    ] {
        let refused = refusal(&[(name, SIGNATURE)], WORKFLOW);
        assert!(refused.contains(said), "{refused}");
    }
    let refused = refusal(&[], DEVELOPER);
    assert!(refused.contains("has no Sigstore bundle"), "{refused}");
}

#[test]
fn an_entry_that_is_not_a_descriptor_does_not_count_and_one_with_odd_annotations_does() {
    let signed = Site::with(&["signature.json"]);
    for (key, value, code) in [
        ("size", json!("7"), 5),
        ("annotations", json!({ "number": 1 }), 0),
    ] {
        let mut entry = signed.referrers[0].clone();
        entry[key] = value;
        let list = json!({ "schemaVersion": 2, "mediaType": peer::INDEX, "manifests": [entry] });
        let answer = Fault::Answer {
            status: "200 OK",
            headers: vec![("content-type", peer::INDEX.to_owned())],
            body: list.to_string().leak(),
        };
        let rule = Rule::on("GET", "/referrers/", answer).always();
        let mut site = ApiSite::copy_of(&signed);
        site.proxy = Proxy::to(site.registry.address(), vec![rule]);
        site.demand(DEVELOPER, "");
        let fetched = site.fetch(&[]).exit(code);
        let is_refused = fetched.stderr.contains("has no Sigstore bundle");
        assert_eq!(is_refused, code == 5, "{fetched}");
    }
}

#[test]
fn a_bundle_counts_after_a_copy_to_a_registry_without_the_api_and_back() {
    let site = ApiSite::with(&[("signature.json", SIGNATURE)]);
    let (there, back) = (Registry::start(), ApiRegistry::start());
    let (copied, returned) = (
        there.reference("copied:1.0.0"),
        back.reference("back:1.0.0"),
    );
    let root = fixture("trusted_root.json");
    let mut from = site.reference();
    for to in [copied, returned] {
        site.environment.par(["copy", &from, &to]).success();
        let verify = |(subject, issuer): (&str, &str)| {
            let identity = ["--identity", subject, "--identity-issuer", issuer];
            let root = ["--trusted-root", text(&root)];
            let environment = Environment::new();
            environment.par([&["verify", &*to][..], &identity, &root].concat())
        };
        verify(DEVELOPER).success();
        verify(WORKFLOW).exit(5);
        from = to;
    }
}

/// A registry that had no referrers API may have one now: what the cache remembers hides no bundle.
#[test]
fn a_registry_that_gets_the_api_is_asked_for_it() {
    let site = ApiSite::with(&[("signature.json", SIGNATURE)]);
    site.demand(DEVELOPER, "");
    let hints = ".cache/wasmcloud-par/v1/listed-by-clients";
    let hints = site.environment.home().join(hints);
    let known = hints.join(site.proxy.address());
    let list_requests = || {
        let by_tag = site.proxy.seen("GET", "/manifests/sha256-").len();
        (by_tag, site.proxy.seen("GET", "/referrers/").len())
    };
    site.fetch(&[]).success();
    assert_eq!(list_requests(), (0, 1));
    assert!(!known.exists());

    // The list that clients left behind has a bundle that does not count.
    let left_behind = Site::with(&["expired.json"]);
    let tag = left_behind.digest().replace(':', "-");
    let list = left_behind
        .registry
        .reference(&format!("{REPOSITORY}:{tag}"));
    let there = site.registry.reference(&format!("{REPOSITORY}:{tag}"));
    left_behind
        .environment
        .par(["copy", &list, &there])
        .success();

    fs::remove_dir_all(hints.with_file_name("bundles")).unwrap();
    fs::create_dir_all(&hints).unwrap();
    fs::write(&known, "").unwrap();
    site.fetch(&[]).success();
    assert_eq!(list_requests(), (1, 2));
    // It is asked first from now on.
    assert!(!known.exists());
}
