//! Archives that the policy, a lock or a pin refuses are not copied.

use nkeys::KeyPair;

use super::{PROVIDERS, Site, assert_statuses, path_text, writes};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome};
use crate::transfer::{peer, push};

#[test]
fn nothing_of_a_refused_provider_is_copied_and_the_others_are() {
    let site = Site::new();
    let outcome = site.mirror(&["-o", "json"]).exit(5);
    let answer = outcome.json();
    assert_statuses(&answer, "copied", &[("evil", "refused")]);
    assert_eq!(answer["failures"].as_array().unwrap().len(), 1);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(&site.reference("evil")), "{message}");
    assert!(message.contains("nothing of it was copied"), "{message}");
    for name in PROVIDERS {
        let expected = (name != "evil").then(|| site.digest(name).to_owned());
        assert_eq!(site.resolved(&site.mirrored(name)), expected, "{name}");
    }
    let component = site.resolved(&site.mirrored("hello"));
    assert_eq!(component.as_deref(), Some(&*site.component));
    let note = format!("{} is not a provider archive", site.reference("hello"));
    assert!(outcome.stderr.contains(&note), "{outcome}");
    // No request was about a repository of the refused provider.
    let evil = site.mirror.requests();
    let evil = evil.iter().filter(|request| request.contains("/evil/"));
    // The last request is from this test itself.
    assert!(
        evil.clone().all(|request| !request.starts_with("P")),
        "{:?}",
        evil.collect::<Vec<_>>()
    );
    // The second run sends nothing.
    let seen = site.mirror.requests().len();
    let again = site.mirror(&["-o", "json"]).exit(5).json();
    assert_statuses(&again, "present", &[("evil", "refused")]);
    assert_eq!(writes(&site.mirror, seen), [""; 0]);
}

#[test]
fn the_policy_is_asked_before_anything_is_sent_also_when_claims_are_in_the_archive_only() {
    let site = Site::new();
    // The archive is pushed as `wash` does, so the manifest carries no claims.
    let archive = ArchiveBuilder::two_targets().build();
    let reference = site.reference("foreign");
    peer::push(&reference, &archive);
    site.environment.write("list.txt", &reference);
    let refused = site.par(&["mirror", "list.txt", &site.place()]).exit(5);
    assert!(refused.stderr.contains("refused"), "{refused}");
    assert_eq!(writes(&site.mirror, 0), [""; 0]);
}

#[test]
fn the_digests_of_a_lock_are_mirrored_although_the_tags_have_moved() {
    let site = Site::new();
    let good = format!("{}\n{}\n", site.reference("http"), site.reference("redis"));
    site.environment.write("list.txt", good);
    site.par(&["lock", "list.txt"]).success();
    // The tag moves to an archive of somebody else.
    let other = site
        .environment
        .write("other.par", ArchiveBuilder::two_targets().build());
    push(&Environment::new(), &site.reference("http"), &other);

    let mirrored = site.par(&["mirror", "par.lock", &site.place(), "-o", "json"]);
    assert_statuses(&mirrored.success().json(), "copied", &[]);
    let digest = site.resolved(&site.mirrored("http"));
    assert_eq!(digest.as_deref(), Some(site.digest("http")));
    let unlocked = site.par(&["mirror", "list.txt", &site.place()]).exit(5);
    assert!(unlocked.stderr.contains("refused"), "{unlocked}");
    site.par(&["mirror", "list.txt", &site.place(), "--locked"])
        .success();
    // A lock only has archives.
    let lock = path_text(&site, "par.lock");
    let edited = site
        .read("par.lock")
        .replace(site.digest("redis"), &site.component);
    site.environment
        .write("par.lock", edited.replace("org/redis", "org/hello"));
    let refused = site
        .par(&["mirror", &lock, &site.place(), "-o", "json"])
        .exit(5);
    assert_statuses(&refused.json(), "present", &[("hello", "refused")]);
}

#[test]
fn a_lock_file_that_is_the_list_is_the_only_lock() {
    let site = Site::new();
    site.environment.write("list.txt", site.reference("http"));
    site.par(&["lock", "list.txt", "--destination", "good.lock"])
        .success();
    let good = site.read("good.lock");
    let issuer = good.lines().find_map(|line| line.strip_prefix("issuer = "));
    let other = format!("\"{}\"", KeyPair::new_account().public_key());
    let bad = good.replace(issuer.unwrap(), &other);
    site.environment.write("bad.lock", bad);
    let mirror = |list: &str, variable: &str, options: &[&str]| {
        let mut command = site.environment.command();
        command.args(["mirror", list, &site.place()]).args(options);
        command.env("PAR_LOCK", variable);
        Outcome::of(command, b"")
    };
    for options in [&["--locked"][..], &["--lock-file", "none.lock"]] {
        let refused = mirror("good.lock", "good.lock", options).exit(2);
        let said = format!("LIST is a lock file, so {} is not possible", options[0]);
        assert!(refused.stderr.contains(&said), "{refused}");
    }
    for (list, variable) in [("bad.lock", "good.lock"), ("list.txt", "bad.lock")] {
        let refused = mirror(list, variable, &[]).exit(5);
        let said = "the lock file bad.lock does not allow it";
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(!refused.stderr.contains("good.lock"), "{refused}");
    }
    assert_eq!(writes(&site.mirror, 0), [""; 0]);
    mirror("good.lock", "bad.lock", &[]).success();
}

#[test]
fn a_component_in_the_place_of_a_provider_is_refused() {
    let site = Site::new();
    let manifest = site
        .read("wadm.yaml")
        .replace("type: component", "type: capability");
    site.environment.write("wadm.yaml", manifest);
    let answer = site.mirror(&["-o", "json"]).exit(5).json();
    assert_statuses(
        &answer,
        "copied",
        &[("evil", "refused"), ("hello", "refused")],
    );
    assert_eq!(site.resolved(&site.mirrored("hello")), None);
}

#[test]
fn a_tag_of_the_mirror_keeps_its_publisher_unless_the_option_allows_a_change() {
    let site = Site::new();
    site.mirror(&[]).exit(5);
    let other = site
        .environment
        .write("other.par", ArchiveBuilder::two_targets().build());
    let moved = push(&Environment::new(), &site.reference("http"), &other);
    site.environment.write("list.txt", site.reference("http"));
    site.environment.write("any.toml", "");
    let trusting = ["mirror", "list.txt", &site.place(), "--trust", "any.toml"];
    let conflict = site.par(&trusting).exit(7);
    assert!(conflict.stderr.contains("--change-identity"), "{conflict}");
    // The dry run says what the mirror would say, and the check reports a difference.
    let dry = site.par(&[&trusting[..], &["--dry-run"]].concat()).exit(7);
    assert!(dry.stderr.contains("--change-identity"), "{dry}");
    let check = site.par(&[&trusting[..], &["--check", "-o", "json"]].concat());
    assert_statuses(&check.exit(5).json(), "different", &[]);
    let allowed = ["--dry-run", "--change-identity", "-o", "json"];
    let dry = site.par(&[&trusting[..], &allowed].concat()).success();
    assert_statuses(&dry.json(), "different", &[]);
    let changing = [&trusting[..], &["--change-identity"]].concat();
    site.par(&changing).success();
    assert_eq!(site.resolved(&site.mirrored("http")), Some(moved));
}
