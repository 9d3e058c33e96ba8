//! `par attest`

use data_encoding::BASE64;
use serde_json::json;

use super::*;

/// Returns the statement in the bundle of an attestation.
fn statement(site: &Site, answer: &Value) -> Value {
    let digest = answer["digest"].as_str().unwrap();
    let reference = site.reference();
    let got = site
        .environment
        .par(["discover", &reference, "--get", digest]);
    let bundle: Value = serde_json::from_str(&got.success().stdout).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    serde_json::from_slice(&BASE64.decode(payload.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_job_of_github_attests_where_it_has_built_the_archive() {
    let site = Site::new();
    site.push_unsigned();
    let reference = site.reference();
    let mut command = site.environment.command();
    command.args(["attest", &reference, "-o", "json"]);
    command
        .args(site.sigstore.options())
        .envs(site.sigstore.job());
    let attested = Outcome::of(command, b"").success().json();
    assert_eq!(attested["identity"]["subject"], IDENTITY);
    assert_eq!(attested["identity"]["predicate"], PROVENANCE);
    let verified = site.verify(&reference);
    assert_eq!(attested["subject"], verified["digest"]);
    assert_eq!(verified["identity"], attested["identity"]);

    let statement = statement(&site, &attested);
    assert_eq!(statement["predicateType"], PROVENANCE);
    let name = reference.strip_suffix(":1.0.0").unwrap();
    let hex = verified["digest"].as_str().unwrap();
    let hex = hex.strip_prefix("sha256:").unwrap();
    let subject = json!([{ "name": name, "digest": { "sha256": hex } }]);
    assert_eq!(statement["subject"], subject);
    let builder = &statement["predicate"]["runDetails"]["builder"]["id"];
    assert_eq!(builder, IDENTITY);
}

#[test]
fn any_predicate_is_signed_as_it_is_written() {
    let site = Site::new();
    site.push_unsigned();
    let reference = site.reference();
    let written = r#"{"found":[],"score":1.0}"#;
    site.environment.write("audit.json", written);
    let attest = [
        "attest",
        &reference,
        "--predicate",
        "audit.json",
        "-o",
        "json",
    ];
    let kind = ["--type", "https://example.org/audit/v1"];
    let attested = site.run(&[&attest[..], &kind].concat()).success().json();
    let statement = statement(&site, &attested);
    assert_eq!(statement["predicate"].to_string(), written);
    assert_eq!(statement["predicateType"], kind[1]);
    // Each call adds a statement.
    let kind = ["--type", "vuln"];
    site.run(&[&attest[..], &kind].concat()).success();
    assert_eq!(site.attached(&reference).len(), 2);
}

#[test]
fn a_token_comes_from_a_variable_or_from_standard_input() {
    let site = Site::new();
    site.push_unsigned();
    let reference = site.reference();
    site.environment.write("audit.json", "{}");
    let attest = [
        "attest",
        &reference,
        "--predicate",
        "audit.json",
        "--type",
        "urn:audit",
    ];
    let token = sigstore::token(300);

    let mut command = site.environment.command();
    command.args(attest).args(site.sigstore.options());
    command.env("SIGSTORE_ID_TOKEN", &token);
    Outcome::of(command, b"").success();

    let mut command = site.environment.command();
    command.args(attest).args(site.sigstore.options());
    command.args(["--identity-token", "-"]);
    Outcome::of(command, token.as_bytes()).success();
    assert_eq!(site.attached(&reference).len(), 2);
}

#[test]
fn a_predicate_that_cannot_be_signed_is_refused_before_anybody_is_asked() {
    let site = Site::new();
    site.push_unsigned();
    let reference = site.reference();
    site.environment.write("list.json", "[]");
    site.environment
        .write("large.json", " ".repeat(2 * 1024 * 1024 + 1));
    site.environment.write("right.json", "{}");
    for (file, kind, expected) in [
        ("list.json", "vuln", "not a JSON object"),
        ("large.json", "vuln", "more than 2097152 bytes"),
        ("right.json", "audit", "`audit` is neither the URI"),
    ] {
        let attest = ["attest", &reference, "--predicate", file, "--type", kind];
        let refused = site.run(&attest).exit(2);
        assert!(refused.stderr.contains(expected), "{refused}");
    }
    let missing = [
        "attest",
        &reference,
        "--predicate",
        "missing.json",
        "--type",
        "vuln",
    ];
    site.run(&missing).exit(3);
    site.run(&["attest", &reference, "--predicate", "right.json"])
        .exit(2);
    assert_eq!(site.sigstore.asked("POST", "/"), 0);
    assert_eq!(site.attached(&reference), [""; 0]);
}

#[test]
fn standard_input_is_not_both_the_token_and_the_predicate() {
    let site = Site::new();
    let reference = site.reference();
    let mut command = site.environment.command();
    command.args(["attest", &reference, "--predicate", "-", "--type", "vuln"]);
    command.args(["--identity-token", "-"]);
    command.args(site.sigstore.options());
    let refused = Outcome::of(command, sigstore::token(300).as_bytes()).exit(2);
    let expected =
        "standard input cannot be both the file with the identity token and the predicate";
    assert!(refused.stderr.contains(expected), "{refused}");
}
