//! Identities in lock files.

use super::*;

impl Site {
    /// Runs `par lock` for the archive.
    fn lock(&self, options: &[&str]) -> Outcome {
        let list = self.environment.write("list.txt", self.reference());
        let lock = ["lock", text(&list)];
        self.environment.par([&lock[..], options].concat())
    }

    fn lock_file(&self) -> String {
        fs::read_to_string(self.environment.path("par.lock")).unwrap()
    }

    /// Writes a policy that allows both identities.
    fn demand_either(&self) {
        let other = policy(WORKFLOW, "");
        let identity = other.find("[[rule.identity]]").unwrap();
        let one = policy(DEVELOPER, "");
        self.configure(&format!("{one}{}", &other[identity..]));
    }
}

#[test]
fn a_lock_demands_the_identity_that_vouched_when_it_was_made() {
    let site = Site::with(&["signature.json"]);
    site.demand(DEVELOPER, "");
    site.lock(&[]).success();
    let lock = site.lock_file();
    for line in [
        "version = 2".to_owned(),
        format!("issuer = {:?}", DEVELOPER.1),
        format!("subject = {:?}", DEVELOPER.0),
        "root = \"other\"".to_owned(),
    ] {
        assert!(lock.contains(&line), "{lock}");
    }
    site.fetch(&["--locked"]).success();
    site.lock(&["--check"]).success();
    site.lock(&[]).success();
    assert_eq!(site.lock_file(), lock);
    let check = ["trust", "check", &*site.reference(), "--locked"];
    let checked = site.environment.par(check).success();
    let said = format!(", {} of {}", DEVELOPER.0, DEVELOPER.1);
    assert!(checked.stdout.contains(&said), "{checked}");

    // A policy that allows more than the lock.
    site.configure(&policy(("*", DEVELOPER.1), ""));
    site.fetch(&["--locked"]).success();
    // One that does not allow it, and none that says what the root is.
    site.demand(WORKFLOW, "");
    let refused = site.fetch(&["--locked"]).exit(5);
    let said = "is locked with the identity dev@acme.test of http://oidc.test/email (another instance), which the trust \
                policy does not allow";
    assert!(refused.stderr.contains(said), "{refused}");
    site.configure("");
    let refused = site.fetch(&["--locked"]).exit(5);
    let said = "the trust policy names no trusted root for it";
    assert!(refused.stderr.contains(said), "{refused}");
    // What is not locked does not demand it.
    site.fetch(&[]).success();
}

#[test]
fn a_locked_identity_is_demanded_where_its_bundle_is_gone_also_in_an_audit() {
    let mut site = Site::with(&["signature.json", "provenance.json"]);
    site.demand(DEVELOPER, "");
    site.lock(&[]).success();
    site.referrers.remove(0);
    site.list_referrers();
    fs::remove_dir_all(site.environment.home().join(".cache")).unwrap();
    for policy in [
        policy(("*@acme.test", DEVELOPER.1), ""),
        format!("audit = true\n{}", policy(DEVELOPER, "")),
    ] {
        site.configure(&policy);
        let refused = site.fetch(&["--locked"]).exit(5);
        let said = "it was signed by https://github.com/acme/demo/";
        assert!(refused.stderr.contains(said), "{refused}");
        // It is the lock that demands this identity, and another policy would not help.
        let said = "is locked with the identity dev@acme.test of";
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(refused.stderr.contains("--accept-identity"), "{refused}");
        assert!(!refused.stderr.contains("allow it in the"), "{refused}");
    }
    // Without the lock, the audit warns.
    site.fetch(&[]).success();
    site.referrers.clear();
    site.list_referrers();
    let refused = site.fetch(&["--locked"]).exit(5);
    assert!(
        refused.stderr.contains("has no Sigstore bundle"),
        "{refused}"
    );
    assert!(!refused.stderr.contains("trust policy"), "{refused}");
}

#[test]
fn an_identity_that_changes_is_locked_only_when_that_is_said() {
    let site = Site::with(&["signature.json", "provenance.json"]);
    site.demand(DEVELOPER, "");
    site.lock(&[]).success();
    let lock = site.lock_file();
    site.demand(WORKFLOW, "");
    let refused = site.lock(&[]).exit(5);
    let said = format!("has the identity {} of {}", WORKFLOW.0, WORKFLOW.1);
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(refused.stderr.contains("--accept-identity"), "{refused}");
    let reference = site.reference();
    let update = ["lock", "--update", &*reference];
    site.environment.par(update).exit(5);
    // A policy that demands none is no reason to forget it.
    site.configure("");
    let refused = site.lock(&[]).exit(5);
    let said = "has no identity that the trust policy demands, and the lock has dev@acme.test";
    assert!(refused.stderr.contains(said), "{refused}");
    assert_eq!(site.lock_file(), lock);

    site.demand(WORKFLOW, "");
    let accepted = site.lock(&["--accept-identity"]).success();
    let said = format!("identity {} of {}", DEVELOPER.0, DEVELOPER.1);
    assert!(accepted.stdout.contains(&said), "{accepted}");
    assert!(site.lock_file().contains(WORKFLOW.0));
    site.fetch(&["--locked"]).success();
}

#[test]
fn a_lock_keeps_its_identity_among_several() {
    let mut site = Site::with(&["signature.json", "provenance.json"]);
    site.demand_either();
    site.lock(&[]).success();
    let lock = site.lock_file();
    assert!(lock.contains(DEVELOPER.0), "{lock}");
    site.referrers.reverse();
    site.list_referrers();
    fs::remove_dir_all(site.environment.home().join(".cache")).unwrap();
    site.lock(&[]).success();
    assert_eq!(site.lock_file(), lock);
    // Without a lock file, the first one that counts is locked.
    fs::remove_file(site.environment.path("par.lock")).unwrap();
    fs::remove_dir_all(site.environment.home().join(".cache")).unwrap();
    site.lock(&[]).success();
    assert!(site.lock_file().contains(WORKFLOW.0));
}

#[test]
fn a_lock_without_an_identity_gets_one_when_the_policy_demands_it() {
    let site = Site::with(&["signature.json"]);
    site.lock(&[]).success();
    assert!(site.lock_file().contains("version = 1\n"));
    site.demand(DEVELOPER, "");
    let locked = site.lock(&["-o", "json"]).success().json();
    let change = &locked["changes"][0];
    assert_eq!(change["field"], "identity", "{locked}");
    assert_eq!(change["from"], Value::Null);
    assert!(site.lock_file().contains("version = 2\n"));
    // Without the identity, the file is one that every version reads.
    fs::remove_file(site.environment.path("par.lock")).unwrap();
    site.configure("");
    site.lock(&[]).success();
    assert!(site.lock_file().contains("version = 1\n"));
}
