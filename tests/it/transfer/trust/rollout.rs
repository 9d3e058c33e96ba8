//! Rolling a policy out, and revoking a key: `audit` and `revoked`.

use super::super::{par, text};
use super::{Publisher, Site};

const REFERENCE: &str = "registry.test/org/provider:1.0.0";

#[test]
fn a_revoked_issuer_is_refused_whatever_else_allows_it() {
    let (site, jane) = (Site::new(), Publisher::new());
    let local = site.registry.reference("org/provider:1.0.0");
    site.push(REFERENCE, jane.archive());
    for reference in [REFERENCE, &local] {
        site.fetch(reference, &[]).success();
    }
    let (issuer, file) = (
        jane.issuer(),
        site.environment.write("j.par", jane.archive().build()),
    );
    let policy = format!(
        "revoked = [\"{issuer}\"]\naudit = true\n[[rule]]\nmatch = \"*\"\nissuers = [\"{issuer}\"]"
    );
    site.configure("trust.toml", &policy);
    let refused = |outcome: crate::support::Outcome| {
        let outcome = outcome.exit(5);
        assert!(
            outcome.stderr.contains("which the trust policy revokes"),
            "{outcome}"
        );
        assert_eq!(outcome.stdout, "");
    };
    for reference in [REFERENCE, &local] {
        // The executable is cached.
        for options in [
            &["--pull", "never"][..],
            &["--issuer", &issuer],
            &["--accept-identity"],
        ] {
            refused(site.fetch(reference, options));
        }
        refused(par(&site.environment, ["pull", reference]));
        refused(par(&site.environment, ["verify", reference]));
        refused(par(&site.environment, ["push", reference, text(&file)]));
    }
    refused(par(&site.environment, ["trust", "accept", REFERENCE]));
    site.configure("trust.toml", "revoked = []");
    site.fetch(REFERENCE, &[]).success();
    let seed = jane.account.seed().unwrap();
    site.configure("trust.toml", &format!("revoked = [\"{seed}\"]"));
    let wrong = site.fetch(REFERENCE, &[]).exit(2);
    assert!(!wrong.stderr.contains(&seed), "{wrong}");
}

#[test]
fn an_audit_only_warns_of_refused_archives_and_does_not_pin_them() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let rule = |audit: &str| {
        format!(
            "[[rule]]\nmatch = \"registry.test/org/*\"\nissuers = [\"{}\"]\n{audit}",
            jane.issuer()
        )
    };
    let warns = |outcome: crate::support::Outcome, reason: &str| {
        let outcome = outcome.success();
        let said = "allowed, because the trust policy audits: ";
        assert_eq!(outcome.stderr.matches(said).count(), 1, "{outcome}");
        assert!(outcome.stderr.contains(reason), "{outcome}");
    };
    let not_allowed = "is not among the issuers that are allowed";
    site.push(REFERENCE, joe.archive());
    site.configure("trust.toml", &rule("audit = true"));
    warns(site.fetch(REFERENCE, &[]), not_allowed);
    warns(site.fetch(REFERENCE, &["--pull", "never"]), not_allowed);
    warns(par(&site.environment, ["pull", REFERENCE]), not_allowed);
    assert!(!site.pin("org/provider").exists());

    // The rule overrides the policy for its repositories.
    site.configure(
        "trust.toml",
        &format!("audit = true\n{}", rule("audit = false")),
    );
    site.fetch(REFERENCE, &[]).exit(5);
    site.configure("trust.toml", &rule(""));
    site.fetch(REFERENCE, &[]).exit(5);

    // Pins and revisions are audited too, and stay as they are.
    site.configure("trust.toml", "");
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    let before = std::fs::read(site.pin("org/provider")).unwrap();
    site.configure("trust.toml", "audit = true");
    site.push(REFERENCE, joe.archive());
    warns(site.fetch(REFERENCE, &[]), "is not by the publisher");
    site.push(REFERENCE, jane.revision(Some(2)));
    warns(
        site.fetch(REFERENCE, &[]),
        "has revision 2, and had revision 7",
    );
    assert_eq!(std::fs::read(site.pin("org/provider")).unwrap(), before);
    site.configure("trust.toml", "");
    site.fetch(REFERENCE, &[]).exit(5);
}

#[test]
fn an_audit_does_not_relax_the_options_of_a_command() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let (jane_key, joe_key) = (jane.issuer(), joe.issuer());
    site.push(REFERENCE, jane.revision(Some(7)));
    let file = site.environment.write("jane.par", jane.archive().build());
    // These policies allow neither the issuer nor the revision, and only warn.
    for policy in [
        format!("[[rule]]\nmatch = \"*\"\nissuers = [\"{joe_key}\"]\nmin-revision = 9"),
        "default = \"deny\"".to_owned(),
    ] {
        site.configure("trust.toml", &format!("audit = true\n{policy}"));
        site.fetch(REFERENCE, &[]).success();
        site.fetch(REFERENCE, &["--issuer", &jane_key]).success();
        for options in [["--issuer", &joe_key], ["--min-revision", "8"]] {
            for verb in ["fetch", "pull", "verify"] {
                let command = [&[verb, REFERENCE][..], &options].concat();
                let refused = site.environment.par(command).exit(5);
                assert!(!refused.stderr.contains("audits"), "{refused}");
            }
        }
    }
    let wrong = ["verify", text(&file), "--issuer", &joe_key];
    site.environment.par(wrong).exit(5);
    let right = ["verify", text(&file), "--issuer", &jane_key];
    site.environment.par(right).success();
}

#[test]
fn an_audit_does_not_let_a_refused_publisher_be_accepted() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, joe.archive());
    let accept = ["trust", "accept", REFERENCE];
    for policy in [
        "audit = true\n[[rule]]\nmatch = \"*\"",
        "[[rule]]\nmatch = \"*\"\naudit = true",
    ] {
        let policy = format!("{policy}\nissuers = [\"{}\"]", jane.issuer());
        site.configure("trust.toml", &policy);
        site.fetch(REFERENCE, &[]).success();
        let refused = site.environment.par(accept).exit(5);
        assert!(
            refused
                .stderr
                .contains("is not among the issuers that are allowed"),
            "{refused}"
        );
        assert!(!site.pin("org/provider").exists());
    }
    site.configure("trust.toml", "audit = true");
    site.environment.par(accept).success();
    assert!(site.pin("org/provider").exists());
}
