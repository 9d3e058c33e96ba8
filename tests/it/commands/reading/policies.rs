//! `par verify` with a trust policy for a file, and where nothing can be written.

use nkeys::KeyPair;

use super::super::good_archive;
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry, Unprivileged};

/// Returns the environment, and the issuer and the subject of its archive.
fn archive() -> (Environment, String, String) {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let issuer = KeyPair::from_seed(&seed).unwrap().public_key();
    let object = environment.par(["verify", "good.par", "-o", "json"]);
    let subject = object.success().json()["service"]
        .as_str()
        .unwrap()
        .to_owned();
    (environment, issuer, subject)
}

#[test]
fn a_policy_of_the_option_decides_about_a_file() {
    let (environment, issuer, subject) = archive();
    let (other, service) = (
        KeyPair::new_account().public_key(),
        KeyPair::new_service().public_key(),
    );
    let rule = |place: &str, issuer: &str, more: &str| {
        format!("[[rule]]\nmatch = \"{place}\"\nissuers = [\"{issuer}\"]\n{more}\n")
    };
    let (org, acme) = ("ghcr.io/org/*", "ghcr.io/acme/*");
    for (policy, said) in [
        (rule(org, &issuer, ""), None),
        (
            rule(org, &other, ""),
            Some("not among the issuers that are allowed for ghcr.io/org/*"),
        ),
        (rule(org, &other, "") + &rule(acme, &issuer, ""), None),
        (
            rule(org, &other, "") + &rule(acme, &other, ""),
            Some("not among the issuers that are allowed\n"),
        ),
        (
            rule(org, &issuer, &format!("subjects = [\"{subject}\"]")),
            None,
        ),
        (
            rule(org, &issuer, &format!("subjects = [\"{service}\"]")),
            Some("not among the subjects that are allowed for ghcr.io/org/*"),
        ),
        (
            rule(org, &issuer, "min-revision = 8"),
            Some("at least 8 is required"),
        ),
        (rule(org, &issuer, "min-revision = 7"), None),
        ("default = \"deny\"\n".to_owned(), Some("denies")),
        // A rule without demands does not allow an archive that the other rules refuse.
        (
            rule(org, &other, "") + "[[rule]]\nmatch = \"localhost\"\npin = \"off\"\n",
            Some("not among the issuers"),
        ),
        (String::new(), None),
    ] {
        environment.write("policy.toml", &policy);
        let named = environment.par(["verify", "good.par", "--trust", "policy.toml"]);
        let mut command = environment.command();
        command
            .args(["verify", "-"])
            .env("PAR_TRUST", "policy.toml");
        let bytes = std::fs::read(environment.path("good.par")).unwrap();
        for outcome in [named, Outcome::of(command, &bytes)] {
            match said {
                None => drop(outcome.success()),
                Some(said) => {
                    assert!(outcome.stderr.contains(said), "{policy}: {outcome}");
                    assert_eq!(outcome.exit(5).stdout, "");
                }
            }
        }
    }
    // An archive that the policy refuses is not extracted either.
    let extract = [
        "extract",
        "good.par",
        "--target",
        "x86_64-linux",
        "--destination",
        "out",
    ];
    environment.write("policy.toml", rule(org, &other, ""));
    let named = [&extract[..], &["--trust", "policy.toml"]].concat();
    environment.par(&named).exit(5);
    assert!(!environment.path("out").exists());
    environment.write("policy.toml", rule(org, &issuer, ""));
    environment.par(&named).success();
    // The policy of the user is about repositories.
    environment.write(
        "../home/.config/wasmcloud-par/trust.toml",
        rule(org, &other, ""),
    );
    environment.par(["verify", "good.par"]).success();
    environment.write("policy.toml", rule(org, &issuer, ""));
    let allowed = environment.par(["verify", "good.par", "--trust", "policy.toml"]);
    assert!(
        allowed
            .success()
            .stdout
            .contains("(allowed for ghcr.io/org/*)")
    );
}

#[test]
fn a_file_is_checked_by_the_rule_for_the_given_reference() {
    let (environment, issuer, _) = archive();
    let other = KeyPair::new_account().public_key();
    environment.write(
        "policy.toml",
        format!(
            "default = \"deny\"\n[[rule]]\nmatch = \"ghcr.io/org/*\"\nissuers = [\"{other}\"]\n\
             [[rule]]\nmatch = \"ghcr.io/acme/*\"\nissuers = [\"{issuer}\"]\n"
        ),
    );
    let verify = |options: &[&str]| {
        environment.par([&["verify", "good.par", "--trust", "policy.toml"], options].concat())
    };
    let allowed = verify(&["--as", "ghcr.io/acme/a:1", "-o", "json"]).success();
    assert_eq!(allowed.json()["issuer_checked"], true);
    verify(&["--as", "ghcr.io/acme/a"]).success();
    let refused = verify(&["--as", "ghcr.io/org/a:1"]).exit(5);
    assert!(
        refused.stderr.contains("ghcr.io/org/a:1 was published by"),
        "{refused}"
    );
    let refused = verify(&["--as", "quay.io/org/a:1"]).exit(5);
    assert!(refused.stderr.contains("no rule"), "{refused}");
    verify(&["--as", "nowhere"]).exit(2);
    let both = ["verify", "quay.io/org/a:1", "--as", "quay.io/org/a:1"];
    environment.par(both).exit(2);
}

#[test]
fn a_reference_is_verified_and_compared_with_its_pin_although_nothing_can_be_written() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let push = |archive: Vec<u8>| {
        environment.write("provider.par", archive);
        environment
            .par(["push", &reference, "provider.par", "--change-identity"])
            .success();
    };
    push(ArchiveBuilder::two_targets().build());
    // A registry on this machine is pinned only if a rule demands it.
    let rule = format!(
        "[[rule]]\nmatch = \"{}\"\npin = \"first-use\"\n",
        registry.address()
    );
    environment.write("../home/.config/wasmcloud-par/trust.toml", rule);
    let fetch = ["fetch", &reference, "--target", "x86_64-linux"];
    environment.par(fetch).success();
    environment.par(["tag", &reference, "first"]).success();
    push(ArchiveBuilder::two_targets().build());

    let user = Unprivileged::new(&environment);
    let home = environment.home();
    set_modes(&home, 0o500);
    let verify = |reference: &str| Outcome::of(user.command(&["verify", reference]), b"");
    let first = verify(&registry.reference("provider:first")).success();
    assert!(
        first.stdout.contains("has been pinned to this issuer"),
        "{first}"
    );
    let refused = verify(&reference).exit(5);
    assert!(
        refused.stderr.contains("is not by the publisher"),
        "{refused}"
    );
    set_modes(&home, 0o700);

    let mut command = user.command(&["verify", &registry.reference("provider:first")]);
    for variable in [
        "HOME",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
    ] {
        command.env_remove(variable);
    }
    Outcome::of(command, b"").success();
    let left = std::fs::read_dir(home.parent().unwrap().join("tmp"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

/// Sets the permissions of all directories in `directory`.
fn set_modes(directory: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_modes(&path, mode);
        }
    }
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(mode)).unwrap();
}
