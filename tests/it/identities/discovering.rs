//! What `par discover` says of bundles.

use super::*;

impl Site {
    fn discover(&self, options: &[&str]) -> Outcome {
        let reference = self.reference();
        let discover = ["discover", &*reference];
        self.environment.par([&discover[..], options].concat())
    }
}

#[test]
fn each_bundle_says_who_has_signed_it_or_why_it_does_not_verify() {
    let site = Site::with(&["signature.json", "provenance.json", "expired.json"]);
    let root = fixture("trusted_root.json");
    let by_root = ["--trusted-root", text(&root)];
    let discovered = site.discover(&by_root).success();
    for said in [
        format!("verified: {} ({})", DEVELOPER.0, DEVELOPER.1),
        format!("verified: {} ({})", WORKFLOW.0, WORKFLOW.1),
        "not verified: its certificate had expired at the time of the signature, ".to_owned(),
    ] {
        assert!(discovered.stdout.contains(&said), "{discovered}");
    }
    let answer = site.discover(&[&by_root[..], &["-o", "json"]].concat());
    let answer = answer.success().json();
    let attached = answer["attached"].as_array().unwrap();
    let subjects = attached
        .iter()
        .map(|found| found["identity"]["subject"].as_str());
    let expected = [Some(DEVELOPER.0), Some(WORKFLOW.0), None];
    assert_eq!(subjects.collect::<Vec<_>>(), expected);
    assert_eq!(attached[1]["identity"]["predicate"], PROVENANCE);
    let verified = attached.iter().map(|found| &found["verified"]);
    assert_eq!(verified.collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(attached[0]["refusal"], Value::Null);
    let refusal = attached[2]["refusal"].as_str().unwrap();
    assert!(refusal.contains("had expired"), "{refusal}");
}

#[test]
fn bundles_of_another_instance_do_not_verify() {
    let site = Site::with(&["signature.json"]);
    for options in [
        &[][..],
        &["--trusted-root", "public"],
        &["--trusted-root", "github"],
    ] {
        let discovered = site.discover(options).success();
        assert!(discovered.stdout.contains("not verified: "), "{discovered}");
    }
    // Also where there is nothing to verify.
    for site in [site, Site::new()] {
        let missing = site.discover(&["--trusted-root", "missing.json"]).exit(3);
        let said = "cannot read the trusted root missing.json";
        assert!(missing.stderr.contains(said), "{missing}");
    }
}

#[test]
fn other_attachments_are_not_read_as_bundles() {
    let mut site = Site::new();
    let layer = peer::push_blob(&site.reference(), "text/plain", b"a note");
    let manifest = site.manifest.clone();
    site.attach_layer(&manifest, layer.clone());
    let answer = site.discover(&["-o", "json"]).success().json();
    // It says that it is one.
    assert_eq!(answer["attached"][0]["verified"], false);
    let said = answer["attached"][0]["refusal"].as_str().unwrap();
    assert!(
        said.contains("has not one layer that is a bundle"),
        "{said}"
    );

    let note = site.environment.write("note.txt", "a note");
    let (reference, note) = (site.reference(), text(&note).to_owned());
    let attach = ["attach", &*reference, &*note, "--type", "text/plain"];
    site.environment.par(attach).success();
    let answer = site.discover(&["-o", "json", "--type", "text/plain"]);
    let answer = answer.success().json();
    assert_eq!(answer["attached"][0]["verified"], Value::Null, "{answer}");
    assert_eq!(answer["attached"][0]["identity"], Value::Null);
    let content = layer["digest"].as_str().unwrap();
    let requests = site.registry.requests();
    let mut downloads = requests.iter();
    let is_download = |request: &&String| request.starts_with("GET") && request.contains(content);
    assert_eq!(downloads.find(is_download), None);
}

#[test]
fn a_bundle_of_200_megabytes_is_not_downloaded() {
    let mut site = Site::with(&["signature.json"]);
    let digest = site.attach_bundle_of_200_megabytes();
    let root = fixture("trusted_root.json");
    let discovered = site.discover(&["--trusted-root", text(&root)]).success();
    let said = "not verified: it has 200000000 bytes; at most 4194304 are read";
    assert!(discovered.stdout.contains(said), "{discovered}");
    assert!(
        discovered.stdout.contains("  verified: dev@acme.test"),
        "{discovered}"
    );
    let asked = site.registry.requests();
    let asked = asked
        .iter()
        .filter(|request| request.starts_with("GET") && request.contains(digest.hex()));
    assert_eq!(asked.count(), 0);
}
