//! `par trust check` prints the decision without downloading the archive.

use serde_json::{Value, json};

use super::super::{par, requests_about, text};
use super::{Publisher, Site};

const REFERENCE: &str = "registry.test/org/provider:1.0.0";

impl Site {
    /// Returns the answer of `par trust check`, which must end with this exit code.
    #[track_caller]
    fn check(&self, reference: &str, options: &[&str], code: i32) -> Value {
        let arguments = [&["trust", "check", reference, "-o", "json"], options].concat();
        let answer = self.environment.par(arguments).exit(code).json();
        assert_eq!(answer["accepted"], code == 0, "{answer}");
        // The command agrees with a fetch.
        self.fetch(reference, options).exit(code);
        answer
    }

    /// Returns the digest of the archive that a manifest names.
    fn layer(&self, pinned: &str) -> String {
        let (_, digest) = pinned.split_once('@').unwrap();
        let manifest = std::fs::read(self.registry.blob(digest)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_check_downloads_no_archive_and_pins_nothing() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let pushed = site.push(REFERENCE, jane.archive());
    let layer = site.layer(&pushed);
    let check = ["trust", "check", REFERENCE];
    let text = par(&site.environment, check).success();
    assert!(
        text.stdout
            .starts_with(&format!("{REFERENCE} is accepted\n")),
        "{text}"
    );
    for part in [
        &format!("by {} for {}, revision 7", jane.issuer(), jane.subject()),
        "registry.test/org/provider is not pinned yet",
        "no rule matches, and any issuer is allowed",
        "none is given",
    ] {
        assert!(text.stdout.contains(part), "{text}");
    }
    assert_eq!(requests_about(&site.registry, "GET", &layer), 0);
    assert!(!site.pin("org/provider").exists());

    let answer = site.check(REFERENCE, &[], 0);
    assert_eq!(answer["pin"], Value::Null);
    let pinned = site.check(REFERENCE, &[], 0);
    assert_eq!(pinned["pin"]["issuer"], jane.issuer().as_str());
    assert_eq!(pinned["digest"], pushed.split_once('@').unwrap().1);

    site.push(REFERENCE, joe.archive());
    let refused = par(&site.environment, check).exit(5);
    assert!(refused.stdout.contains("is refused"), "{refused}");
    assert!(refused.stderr.contains("par trust accept"), "{refused}");
    let answer = site.check(REFERENCE, &[], 5);
    assert_eq!(answer["refusals"][0]["kind"], "not_verified");
    assert_eq!(answer["issuer"], joe.issuer().as_str());
    assert_eq!(answer["success"], false);
}

#[test]
fn the_rule_and_everything_that_refuses_are_named() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, joe.archive());
    let rule = format!(
        "[[rule]]\nmatch = \"registry.test/*\"\nissuers = [\"{}\"]",
        jane.issuer()
    );
    site.configure("trust.toml", &rule);
    let answer = site.check(REFERENCE, &[], 5);
    assert_eq!(answer["rule"], "registry.test/*");
    // The rule and the pin refuse.
    assert_eq!(answer["refusals"].as_array().unwrap().len(), 2, "{answer}");

    site.configure("trust.toml", &format!("audit = true\n{rule}"));
    let answer = site.check(REFERENCE, &[], 0);
    assert_eq!(answer["refusals"], json!([]));
    assert_eq!(answer["audited"].as_array().unwrap().len(), 2, "{answer}");
}

#[test]
fn the_entry_of_a_lock_decides_where_a_lock_is_given() {
    let (site, jane) = (Site::new(), Publisher::new());
    let pushed = site.push(REFERENCE, jane.archive());
    let list = site.environment.write("list.txt", REFERENCE);
    par(&site.environment, ["lock", text(&list)]).success();
    let answer = site.check(REFERENCE, &["--locked"], 0);
    assert_eq!(answer["lock"]["digest"], pushed.split_once('@').unwrap().1);

    let path = site.environment.path("par.lock");
    let locked = std::fs::read_to_string(&path).unwrap();
    let edited = locked.replace(&jane.issuer(), &Publisher::new().issuer());
    std::fs::write(&path, edited).unwrap();
    let answer = site.check(REFERENCE, &["--lock-file", "par.lock"], 5);
    let said = answer["refusals"][0]["message"].as_str().unwrap();
    assert!(said.contains("is locked with"), "{said}");
    // A reference without an entry has a report too.
    site.push("registry.test/org/other:1", jane.archive());
    let answer = site.check("registry.test/org/other:1", &["--locked"], 5);
    let said = answer["refusals"][0]["message"].as_str().unwrap();
    assert!(said.contains("is not in the lock file"), "{said}");
    assert_eq!(answer["lock"], Value::Null);
    assert_eq!(answer["issuer"], jane.issuer());
}
