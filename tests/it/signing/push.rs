//! `par push --sigstore`

use wasmcloud_par::Digest;

use super::*;

#[test]
fn a_push_signs_the_manifest_and_a_copy_keeps_the_signature() {
    let site = Site::new();
    let pushed = site.push(&["-o", "json"]).success().json();
    let signature = &pushed["signature"];
    assert_eq!(signature["identity"]["subject"], IDENTITY);
    assert_eq!(signature["identity"]["predicate"], SIGNATURE);
    let reference = site.reference();
    let verified = site.verify(&reference);
    assert_eq!(verified["digest"], pushed["digest"]);
    assert_eq!(verified["identity"], signature["identity"]);

    let copy = site.registry.reference("copy/demo:1.0.0");
    site.environment.par(["copy", &reference, &copy]).success();
    assert_eq!(site.verify(&copy)["identity"], signature["identity"]);
}

#[test]
fn a_signature_is_verified_without_a_request_for_the_bundle() {
    let site = Site::new();
    let pushed = site.push(&["-o", "json"]).success().json();
    let signature = pushed["signature"]["digest"].as_str().unwrap();
    let reference = site.reference();
    site.verify(&reference);
    let requests = site.registry.requests();

    let get = ["discover", &reference, "--get", signature];
    let bundle = site.environment.par(get).success().stdout;
    let bundle = format!("/blobs/{}", Digest::of(bundle.as_bytes()));
    let sent = format!("HEAD /v2/acme/demo{bundle}");
    let asked = format!("GET /v2/acme/demo{bundle}");
    assert!(requests.contains(&sent), "{requests:#?}");
    assert!(!requests.contains(&asked), "{requests:#?}");
}

#[test]
fn the_signature_is_there_before_the_tag() {
    let site = Site::new();
    site.push(&["--tag", "1.0"]).success();
    let requests = site.registry.requests();
    let position = |is: fn(&str) -> bool| {
        let mut manifests = requests
            .iter()
            .map(|request| request.strip_prefix("PUT /v2/acme/demo/manifests/"));
        let found = manifests.position(|name| name.is_some_and(is));
        found.unwrap_or_else(|| panic!("it is not in {requests:#?}"))
    };
    // The list of referrers, which this registry has under a tag.
    let signed = position(|name| name.starts_with("sha256-"));
    assert!(signed < position(|name| name == "1.0.0"), "{requests:#?}");
    assert!(signed < position(|name| name == "1.0"), "{requests:#?}");
}

#[test]
fn attachments_are_signed_for_too_and_a_dry_run_signs_nothing() {
    let site = Site::new();
    site.environment.write("note.json", "{}");
    let attach = ["--attach", "note.json=application/vnd.example.note+json"];
    let dry = site.push(&[&attach[..], &["--dry-run", "-o", "json"]].concat());
    let dry = dry.success();
    assert_eq!(dry.json()["signature"], Value::Null);
    assert_eq!(dry.json()["would_sign"], true);
    assert!(
        dry.stderr.contains("would sign the manifest with Sigstore"),
        "{dry}"
    );
    assert_eq!(site.sigstore.asked("POST", "/"), 0);

    site.push(&attach).success();
    let mut attached = site.attached(&site.reference());
    attached.sort();
    let expected = [
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.example.note+json",
    ];
    assert_eq!(attached, expected);
}

#[test]
fn an_archive_from_standard_input_and_an_image_layout_are_signed_too() {
    let site = Site::new();
    let file = small(&site.environment, "provider.par");
    let mut command = site.environment.command();
    let layout = "oci-layout://layout:1.0.0";
    command.args([
        "push",
        layout,
        "-",
        "--sigstore",
        "--identity-token",
        "token",
    ]);
    command.args(site.sigstore.options());
    Outcome::of(command, &std::fs::read(file).unwrap()).success();
    assert_eq!(site.verify(layout)["identity"]["subject"], IDENTITY);
}

#[test]
fn options_for_signing_without_signing_are_a_mistake() {
    let site = Site::new();
    let file = small(&site.environment, "provider.par");
    let reference = site.reference();
    let refused = site.run(&["push", &reference, text(&file)]).exit(2);
    assert!(refused.stderr.contains("add --sigstore"), "{refused}");
    let token = [
        "push",
        &reference,
        text(&file),
        "--sigstore",
        "--signing-config",
        "a",
    ];
    site.environment.par(token).exit(2);
}

#[test]
fn an_entry_that_the_log_has_cancelled_is_sent_again() {
    let site = Site::with(WrongAnswer::CancelledEntry);
    site.push(&[]).success();
    site.verify(&site.reference());
}
