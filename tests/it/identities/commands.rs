//! Identities in the output of commands.

use super::*;

#[test]
fn verify_prints_the_identity_and_its_log_entry() {
    let site = Site::with(&["signature.json", "provenance.json"]);
    let verified = site.verify(WORKFLOW, &[]).success();
    for part in [
        format!("{} of {}", WORKFLOW.0, WORKFLOW.1),
        format!("{PROVENANCE}, signed at 20"),
        "of rekor.test".to_owned(),
    ] {
        assert!(verified.stdout.contains(&part), "{verified}");
    }
    let pattern = ("https://github.com/acme/*", WORKFLOW.1);
    let answer = site.verify(pattern, &["-o", "json"]).success().json();
    let identity = &answer["identity"];
    assert_eq!(identity["subject"], WORKFLOW.0);
    assert_eq!(identity["predicate"], PROVENANCE);
    assert_eq!(identity["log"]["name"], "rekor.test");
    assert_eq!(identity["root"], text(&fixture("trusted_root.json")));
    let digest = Digest::of(&read("provenance.json")).to_string();
    assert_eq!(identity["bundle"], digest);

    let reference = site.reference();
    let plain = site.environment.par(["verify", &reference, "-o", "json"]);
    assert_eq!(plain.success().json()["identity"], Value::Null);
}

#[test]
fn the_identity_options_of_verify_replace_the_policy() {
    let site = Site::with(&["signature.json"]);
    site.demand(WORKFLOW, "");
    let reference = site.reference();
    site.environment.par(["verify", &reference]).exit(5);
    site.verify(DEVELOPER, &[]).success();
    for options in [
        &["--identity", "a"][..],
        &["--identity-issuer", "https://a"],
        &["--trusted-root", "public"],
    ] {
        let verify = [&["verify", &*reference][..], options].concat();
        site.environment.par(verify).exit(2);
    }
}

#[test]
fn a_file_has_no_identity() {
    let site = Site::new();
    let file = fixture("archive.par.gz");
    let identity = ["--identity", "a", "--identity-issuer", "https://a"];
    let refused = site
        .environment
        .par([&["verify", text(&file)][..], &identity].concat());
    assert!(
        refused
            .exit(2)
            .stderr
            .contains("--identity is for manifests")
    );

    site.demand(DEVELOPER, "");
    site.environment.par(["verify", text(&file)]).success();
    let policy = site
        .environment
        .home()
        .join(".config/wasmcloud-par/trust.toml");
    let named = ["verify", text(&file), "--trust", text(&policy)];
    let refused = site.environment.par(named).exit(5);
    assert!(
        refused
            .stderr
            .contains("an identity signs a manifest, and a file has none"),
        "{refused}"
    );
    let reference = site.reference();
    let role = ["verify", text(&file), "--as", &reference];
    site.environment.par(role).exit(5);
}

#[test]
fn trust_check_prints_the_identity_or_why_there_is_none() {
    let site = Site::with(&["signature.json"]);
    let reference = site.reference();
    let check = ["trust", "check", &reference, "-o", "json"];
    site.demand(DEVELOPER, "");
    let answer = site.environment.par(check).success().json();
    assert_eq!(answer["identity"]["subject"], DEVELOPER.0);
    assert_eq!(answer["identity"]["predicate"], SIGNATURE);
    site.demand(WORKFLOW, "");
    let answer = site.environment.par(check).exit(5).json();
    assert_eq!(answer["identity"], Value::Null);
    let said = answer["refusals"][0]["message"].as_str().unwrap();
    assert!(said.contains("it was signed by dev@acme.test"), "{said}");
}

#[test]
fn every_command_that_uses_an_archive_checks_the_identity() {
    let site = Site::new();
    site.demand(DEVELOPER, "");
    let reference = site.reference();
    let list = site.environment.write("list.txt", &reference);
    for command in [
        &["pull", &*reference][..],
        &["extract", &reference, "--target", "x86_64-linux"],
        &["verify", &reference],
        &["lock", text(&list)],
        &["export", &reference, "image.tar"],
        &["mirror", text(&list), "oci-layout://mirror"],
    ] {
        let refused = site.environment.par(command).exit(5);
        assert!(
            refused.stderr.contains("has no Sigstore bundle"),
            "{refused}"
        );
    }
    // These commands only show the archive, so they do not check the identity.
    site.environment.par(["inspect", &reference]).success();
}

#[test]
fn a_policy_with_a_mistake_is_refused_with_the_line() {
    let site = Site::new();
    for (line, reason) in [
        ("subjects = \"a\"", "unknown field"),
        ("root = \"publik\"", "a root is `public`, `github`"),
    ] {
        site.demand(DEVELOPER, "");
        site.configure(&format!(
            "[[rule]]\nmatch = \"*\"\n[[rule.identity]]\nissuer = \"https://a\"\nsubject = \"a\"\n{line}"
        ));
        let refused = site.fetch(&[]).exit(2);
        assert!(refused.stderr.contains(reason), "{refused}");
        assert!(refused.stderr.contains("line 6"), "{refused}");
    }
}
