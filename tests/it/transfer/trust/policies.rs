//! Trust policies: the file, and the options that override it.

use std::fs;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions, Error};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::trust::{Pinning, Rule, TrustError, TrustPolicy};

use super::super::{block_on, par, text};
use super::{Publisher, Site};
use crate::support::Outcome;

const REFERENCE: &str = "registry.test/org/provider:1.0.0";

fn only(publisher: &Publisher) -> String {
    format!(
        "[[rule]]\nmatch = \"registry.test/org/*\"\nissuers = [\"{}\"]\nsubjects = [\"{}\"]",
        publisher.issuer(),
        publisher.subject()
    )
}

#[test]
fn every_command_that_hands_out_archives_refuses_an_issuer_that_is_not_allowed() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, joe.archive());
    site.configure("trust.toml", &only(&jane));

    let expected = format!(
        "{REFERENCE} was published by {}, which is not among the issuers that are allowed for \
         registry.test/org/*",
        joe.issuer()
    );
    let check = |outcome: Outcome| {
        let outcome = outcome.exit(5);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(&expected), "{outcome}");
        assert!(outcome.stderr.contains("--issuer"), "{outcome}");
    };
    check(site.fetch(REFERENCE, &[]));
    for command in ["pull", "extract", "verify"] {
        check(par(&site.environment, [command, REFERENCE]));
    }
    check(par(&site.environment, ["trust", "accept", REFERENCE]));
    let file = site.environment.write("joes.par", joe.archive().build());
    let before = site.registry.requests().len();
    check(par(&site.environment, ["push", REFERENCE, text(&file)]));
    let requests = site.registry.requests().split_off(before);
    let tagged = |request: &String| request.starts_with("PUT /v2/org/provider/manifests/");
    assert!(!requests.iter().any(tagged), "{requests:?}");
    assert!(!site.pin("org/provider").exists());

    let other = Publisher {
        account: jane.account.clone(),
        ..Publisher::new()
    };
    let file = site.environment.write("other.par", other.archive().build());
    let refused = par(&site.environment, ["push", REFERENCE, text(&file)]).exit(5);
    assert!(refused.stderr.contains("is the provider V"), "{refused}");

    let file = site.environment.write("janes.par", jane.archive().build());
    // The tag names the archive of another publisher.
    let push = ["push", REFERENCE, text(&file), "--change-identity"];
    par(&site.environment, push).success();
    site.fetch(REFERENCE, &[]).success();
    let verified = par(&site.environment, ["verify", REFERENCE]).success();
    let said = format!("by {} (allowed for registry.test/org/*)", jane.issuer());
    assert!(verified.stdout.contains(&said), "{verified}");
}

#[test]
fn options_override_the_file() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, joe.archive());
    let strict = format!(
        "default = \"deny\"\n[[rule]]\nmatch = \"ghcr.io\"\nissuers = [\"{}\"]",
        jane.issuer()
    );
    site.configure("trust.toml", &strict);
    let refused = site.fetch(REFERENCE, &[]).exit(5);
    assert!(
        refused.stderr.contains("no rule of the trust policy"),
        "{refused}"
    );
    site.fetch(REFERENCE, &["--issuer", &jane.issuer()]).exit(5);
    site.fetch(REFERENCE, &["--issuer", &joe.issuer()])
        .success();
    site.fetch(REFERENCE, &["--issuer", "A"]).exit(2);
    site.fetch(REFERENCE, &["--trust", "/dev/null"]).success();

    let demanding = site.environment.write(
        "demanding.toml",
        "[[rule]]\nmatch = \"*\"\nmin-revision = 8",
    );
    let demanding = ["--trust", text(&demanding)];
    let refused = site.fetch(REFERENCE, &demanding).exit(5);
    assert!(
        refused.stderr.contains("has revision 7; at least 8"),
        "{refused}"
    );
    site.fetch(
        REFERENCE,
        &[&demanding[..], &["--min-revision", "7"]].concat(),
    )
    .success();

    let mut command = site.environment.command();
    command
        .args(["fetch", REFERENCE, "--target", "x86_64-linux"])
        .env("PAR_TRUST", demanding[1]);
    Outcome::of(command, b"").exit(5);
}

#[test]
fn another_spelling_of_a_registry_does_not_evade_its_rule() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let local = site.registry.reference("org/provider:1.0.0");
    site.push(&local, joe.archive());
    let address = site.registry.address();
    let rule = format!(
        "[[rule]]\nmatch = \"{address}\"\nissuers = [\"{}\"]",
        jane.issuer()
    );
    site.configure("trust.toml", &rule);
    let (_, port) = address.split_once(':').unwrap();
    for spelling in [
        address,
        &format!("127.1:{port}"),
        &format!("127.0.0.1:0{port}"),
    ] {
        let refused = site.fetch(&format!("{spelling}/org/provider:1.0.0"), &[]);
        let said = format!("are allowed for {address}");
        assert!(refused.exit(5).stderr.contains(&said), "{spelling}");
    }
}

#[test]
fn options_apply_to_local_files_as_well() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.configure("trust.toml", "default = \"deny\"");
    let file = site.environment.write("janes.par", jane.archive().build());
    let extract = ["extract", text(&file), "--target", "x86_64-linux"];
    let (jane, joe) = (jane.issuer(), joe.issuer());
    for wrong in [["--issuer", &joe], ["--min-revision", "8"]] {
        for command in [&["verify", text(&file)][..], &extract] {
            let refused = site.environment.par([command, &wrong].concat()).exit(5);
            assert_eq!(refused.stdout, "");
        }
    }
    assert!(!site.environment.path("janes-x86_64-linux").exists());
    site.environment.par(extract).success();
    let right = ["--issuer", &jane, "--min-revision", "7"];
    site.environment
        .par([&extract[..], &right].concat())
        .success();
}

#[test]
fn an_unusable_policy_stops_every_command() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    let path = site.configure(
        "trust.toml",
        "pin = \"first-use\"\n\n[[rule]]\nmatch = \"*\"\nisuers = []",
    );
    for command in ["pull", "verify", "fetch", "extract"] {
        let refused = par(&site.environment, [command, REFERENCE, "-o", "json"]).exit(2);
        let error = refused.json()["error"].clone();
        assert_eq!(error["kind"], "usage");
        let said = error["message"].as_str().unwrap();
        let place = format!("{}, line 5, column 1: unknown field `isuers`", text(&path));
        assert!(said.contains(&place), "{said}");
    }
    site.fetch(REFERENCE, &["--trust", "missing.toml"]).exit(3);
    // The file of the user is bad, but this command is given another policy.
    site.fetch(REFERENCE, &["--trust", "/dev/null"]).success();
}

#[test]
fn a_policy_in_another_file_is_used_and_an_unreadable_one_is_an_error() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    let path = site.configure("trust.toml", "");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("gone.toml", &path).unwrap();
    let refused = site.fetch(REFERENCE, &[]).exit(3);
    assert!(refused.stderr.contains(text(&path)), "{refused}");

    let mut command = site.environment.command();
    let elsewhere = site.environment.write("file/trust.toml", "");
    command
        .args(["fetch", REFERENCE, "--target", "x86_64-linux"])
        .env("XDG_CONFIG_HOME", elsewhere);
    let refused = Outcome::of(command, b"").exit(2);
    assert!(
        refused.stderr.contains("cannot read the trust policy"),
        "{refused}"
    );
}

#[test]
fn a_policy_can_require_that_every_publisher_is_accepted_first() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.configure("trust.toml", "pin = \"required\"");
    for command in ["pull", "verify"] {
        par(&site.environment, [command, REFERENCE]).exit(5);
    }
    let refused = site.fetch(REFERENCE, &[]).exit(5);
    assert!(
        refused.stderr.contains("has not been accepted"),
        "{refused}"
    );
    let accept = ["trust", "accept", REFERENCE];
    par(&site.environment, accept).success();
    site.fetch(REFERENCE, &[]).success();

    site.configure("trust.toml", "pin = \"off\"");
    site.push(REFERENCE, Publisher::new().archive());
    site.fetch(REFERENCE, &[]).success();
    let never = par(&site.environment, accept).exit(2);
    assert!(never.stderr.contains("is never pinned"), "{never}");
}

#[test]
fn a_program_pins_by_its_policy_and_sees_why_an_archive_was_refused() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let local = site.registry.reference("org/provider:1.0.0");
    let reference = local.parse().unwrap();
    let mut rule = Rule::new(site.registry.address().parse().unwrap());
    rule.pinning = Some(Pinning::FirstUse);
    let client = |rules: Vec<Rule>| {
        let mut policy = TrustPolicy::default();
        policy.rules = rules;
        let mut options = ClientOptions::default()
            .cache_directory(site.environment.path("cache"))
            .state_directory(site.environment.path("state"))
            .trust(policy);
        options.registry.credentials.registry_config = Some(site.environment.path("no-config"));
        Client::new(options).unwrap()
    };
    let (pinning, default) = (client(vec![rule]), client(Vec::new()));
    let target: Target = "x86_64-linux".parse().unwrap();
    let fetch = |client: &Client| block_on(client.fetch(&reference, &target));

    site.push(&local, jane.archive());
    fetch(&pinning).unwrap();
    site.push(&local, joe.archive());
    let refused = fetch(&pinning).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotVerified);
    assert!(
        matches!(refused, Error::Trust(TrustError::IdentityChanged { .. })),
        "{refused}"
    );
    // Registries on this machine are pinned only by a rule.
    fetch(&default).unwrap();
    let claims = block_on(pinning.accept(&reference)).unwrap();
    assert_eq!(claims.issuer().as_str(), joe.issuer());
    fetch(&pinning).unwrap();
}
