//! Trust on first use: the first publisher is pinned, and the revision of a tag does not go down.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::super::peer;
use super::{Publisher, Site};
use crate::support::archives::{ArchiveBuilder, Entry, LINUX};
use crate::support::{ended, wait_until};

const REFERENCE: &str = "registry.test/org/provider:1.0.0";

#[test]
fn another_issuer_under_the_same_tag_is_refused_until_it_is_accepted() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, joe.archive());

    let refused = site.fetch(REFERENCE, &["-o", "json"]).exit(5);
    let error = refused.json()["error"].clone();
    assert_eq!(error["kind"], "not_verified");
    let said = error["message"].as_str().unwrap();
    for part in [
        "registry.test/org/provider has been pinned since ",
        &format!("issuer {} -> {}", jane.issuer(), joe.issuer()),
        &format!("subject {} -> {}", jane.subject(), joe.subject()),
    ] {
        assert!(said.contains(part), "{said}");
    }
    let accept = format!("`par trust accept {REFERENCE}`");
    assert!(
        error["hint"].as_str().unwrap().contains(&accept),
        "{refused}"
    );

    for command in ["pull", "extract", "verify"] {
        let refused = site.environment.par([command, REFERENCE]).exit(5);
        assert_eq!(refused.stdout, "");
        assert!(refused.stderr.contains(&accept), "{refused}");
    }
    let files = site.environment.files();
    assert!(!files.iter().any(|file| file.contains("work/provider")));
    // Inspecting is allowed, so that the user sees the other publisher.
    let shown = site.environment.par(["inspect", REFERENCE]).success();
    assert!(shown.stdout.contains(&joe.issuer()));

    site.environment
        .par(["trust", "accept", REFERENCE])
        .success();
    // Now the archive that the tag named before is refused.
    site.fetch(REFERENCE, &["--pull", "never"]).success();
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).exit(5);
    site.fetch(REFERENCE, &["--accept-identity"]).success();
    site.fetch(REFERENCE, &[]).success();
}

#[test]
fn another_provider_of_the_same_issuer_is_refused_by_digest_too() {
    let (site, jane) = (Site::new(), Publisher::new());
    let other = Publisher {
        account: jane.account.clone(),
        ..Publisher::new()
    };
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    let elsewhere = "registry.test/org/provider:other";
    let digest = site.push(elsewhere, other.archive());
    let refused = site.fetch(elsewhere, &[]).exit(5);
    let change = format!("subject {} -> {}", jane.subject(), other.subject());
    assert!(refused.stderr.contains(&change), "{refused}");
    assert!(!refused.stderr.contains("issuer A"), "{refused}");
    site.fetch(&digest, &[]).exit(5);
}

#[test]
fn pulling_does_not_pin() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    for publisher in [&jane, &joe] {
        site.push(REFERENCE, publisher.archive());
        for command in ["pull", "verify", "inspect"] {
            site.environment.par([command, REFERENCE]).success();
        }
    }
    assert!(!site.pin("org/provider").exists());
    site.fetch(REFERENCE, &[]).success();
    assert!(site.pin("org/provider").exists());
}

#[test]
fn verify_names_the_pin_that_it_compared() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    let verify = |options: &[&str]| {
        let arguments = [&["verify", REFERENCE], options].concat();
        let text = site.environment.par(&arguments).success().stdout;
        let json = [&arguments[..], &["-o", "json"]].concat();
        (text, site.environment.par(json).success().json())
    };
    let anybody = "(any issuer is allowed)";
    let (text, json) = verify(&[]);
    assert!(text.contains(anybody) && !text.contains("pin"), "{text}");
    assert_eq!(
        (&json["issuer_checked"], &json["pin"]),
        (&json!(false), &json!(null))
    );

    site.fetch(REFERENCE, &[]).success();
    let listed = site.environment.par(["trust", "list", "-o", "json"]);
    let mut expected = listed.success().json()["identities"][0].clone();
    for key in ["revisions", "former"] {
        expected.as_object_mut().unwrap().remove(key);
    }
    let (text, json) = verify(&[]);
    assert!(
        text.contains(&format!("by {} (as pinned)", jane.issuer())),
        "{text}"
    );
    let pinned =
        "registry.test/org/provider has been pinned to this issuer and this service since 20";
    assert!(text.contains(pinned), "{text}");
    assert_eq!(
        (&json["issuer_checked"], &json["pin"]),
        (&json!(true), &expected)
    );

    let (text, _) = verify(&["--issuer", &jane.issuer()]);
    assert!(
        text.contains("(allowed by --issuer)") && text.contains(pinned),
        "{text}"
    );
    // A pin that was not compared is not named.
    let off = site.environment.write("off.toml", "pin = \"off\"");
    let (text, json) = verify(&["--trust", super::text(&off)]);
    assert!(text.contains(anybody) && !text.contains("pinned"), "{text}");
    assert_eq!(
        (&json["issuer_checked"], &json["pin"]),
        (&json!(false), &json!(null))
    );
}

#[test]
fn an_archive_that_does_not_verify_is_not_pinned() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let (account, service) = (jane.account.clone(), jane.service.clone());
    let damaged = ArchiveBuilder::empty()
        .keys(account, service)
        .hash("x86_64-linux", b"something else")
        .entry(Entry::file("x86_64-linux.bin", LINUX.1));
    let address = site.registry.reference("org/provider:1.0.0");
    peer::push(&address, &damaged.build());
    site.fetch(REFERENCE, &[]).exit(5);
    assert!(!site.pin("org/provider").exists());

    site.push(REFERENCE, joe.archive());
    site.fetch(REFERENCE, &[]).success();
}

#[test]
fn a_damaged_pin_is_an_error_and_not_a_first_use() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    fs::write(site.pin("org/provider"), "{").unwrap();
    site.push(REFERENCE, joe.archive());

    let refused = site.fetch(REFERENCE, &[]).exit(5);
    assert!(refused.stderr.contains("the file is damaged"), "{refused}");
    let forget = "par trust forget registry.test/org/provider";
    assert!(refused.stderr.contains(forget), "{refused}");
    let pull = site.environment.par(["pull", REFERENCE]).exit(5);
    assert!(pull.stderr.contains(forget), "{pull}");

    // The list also has the other pins.
    let others = "registry.test/org/other:1.0.0";
    site.push(others, jane.archive());
    site.fetch(others, &[]).success();
    let listed = site.environment.par(["trust", "list"]).exit(5);
    assert!(
        listed.stdout.starts_with("registry.test/org/other"),
        "{listed}"
    );
    assert!(listed.stderr.contains(forget), "{listed}");
    let listed = site
        .environment
        .par(["trust", "list", "-o", "json"])
        .exit(5);
    let failures = &listed.json()["failures"];
    assert_eq!(
        failures[0]["what"], "registry.test/org/provider",
        "{listed}"
    );

    site.environment.par(forget.split(' ').skip(1)).success();
    site.fetch(REFERENCE, &[]).success();
}

#[test]
fn pins_remain_when_the_content_of_the_cache_is_removed() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, joe.archive());
    let cache = site.environment.home().join(".cache/wasmcloud-par/v1");
    for folder in ["blobs", "executables", "references"] {
        fs::remove_dir_all(cache.join(folder)).unwrap();
    }
    site.fetch(REFERENCE, &[]).exit(5);
    // All caches of a user have one state.
    let elsewhere = ["--cache-dir", "elsewhere"];
    site.fetch(REFERENCE, &elsewhere).exit(5);
    let other_state = ["--cache-dir", "elsewhere", "--state-dir", "other"];
    site.fetch(REFERENCE, &other_state).success();
}

#[test]
fn the_first_of_two_concurrent_publishers_is_pinned_and_the_other_refused() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let references = ["registry.test/org/x:jane", "registry.test/org/x:joe"];
    site.push(references[0], jane.archive());
    site.push(references[1], joe.archive());
    let start = |reference: &&str| {
        let mut command = site.environment.command();
        command.args(["fetch", reference, "--target", "x86_64-linux"]);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    };
    let processes: Vec<_> = references.iter().cycle().take(8).map(start).collect();
    let codes: Vec<_> = processes
        .into_iter()
        .map(|process| ended(process).status.code().unwrap())
        .collect();
    let of = |first| codes.iter().skip(first).step_by(2).copied();
    let (janes, joes): (Vec<i32>, Vec<i32>) = (of(0).collect(), of(1).collect());
    let outcomes = [(vec![0; 4], vec![5; 4]), (vec![5; 4], vec![0; 4])];
    assert!(outcomes.contains(&(janes, joes)), "{codes:?}");
}

#[test]
fn a_lower_revision_of_a_tag_is_refused_unless_it_is_allowed() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.revision(Some(4)));
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, jane.revision(Some(5)));
    site.fetch(REFERENCE, &[]).success();
    let older = site.push(REFERENCE, jane.revision(Some(4)));

    let refused = site.fetch(REFERENCE, &["-o", "json"]).exit(5);
    let error = refused.json()["error"].clone();
    assert_eq!(error["kind"], "not_verified");
    let said = error["message"].as_str().unwrap();
    assert!(
        said.contains("has revision 4, and had revision 5"),
        "{said}"
    );
    let accept = format!("`par trust accept {REFERENCE}`");
    assert!(
        error["hint"].as_str().unwrap().contains(&accept),
        "{refused}"
    );
    site.environment.par(["pull", REFERENCE]).exit(5);

    // A lower revision under another tag or by digest is allowed: the operator has chosen it.
    site.push("registry.test/org/provider:0.9.0", jane.revision(Some(2)));
    site.fetch("registry.test/org/provider:0.9.0", &[])
        .success();
    site.fetch(&older, &[]).success();
    let (_, digest) = older.split_once('@').unwrap();
    let pull = ["pull", REFERENCE, "--digest", digest];
    site.environment.par(pull).success();

    site.fetch(REFERENCE, &["--allow-downgrade"]).success();
    site.fetch(REFERENCE, &[]).success();
    site.push(REFERENCE, jane.revision(Some(3)));
    site.fetch(REFERENCE, &[]).exit(5);
    site.environment
        .par(["trust", "accept", REFERENCE])
        .success();
    site.fetch(REFERENCE, &[]).success();
    // An archive without a revision is older than any that has one.
    site.push(REFERENCE, jane.revision(None));
    let refused = site.fetch(REFERENCE, &[]).exit(5);
    let said = "has no revision, and had revision 3";
    assert!(refused.stderr.contains(said), "{refused}");
    site.fetch(REFERENCE, &["--allow-downgrade"]).success();
    site.fetch(REFERENCE, &[]).success();
}

#[test]
fn accepting_another_publisher_does_not_accept_an_older_archive() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let other_tag = "registry.test/org/provider:2.0.0";
    for reference in [REFERENCE, other_tag] {
        site.push(reference, jane.revision(Some(9)));
        site.fetch(reference, &[]).success();
    }
    site.push(REFERENCE, joe.revision(Some(1)));
    let refused = site.fetch(REFERENCE, &["--accept-identity"]).exit(5);
    let said = "has revision 1, and had revision 9";
    assert!(refused.stderr.contains(said), "{refused}");
    site.fetch(REFERENCE, &["--allow-downgrade"]).exit(5);
    let both = ["--accept-identity", "--allow-downgrade"];
    site.fetch(REFERENCE, &both).success();

    // The revision of the other tag still counts.
    site.push(other_tag, joe.revision(Some(8)));
    site.fetch(other_tag, &[]).exit(5);
    site.environment
        .par(["trust", "accept", REFERENCE])
        .success();
    site.fetch(other_tag, &[]).exit(5);
    site.environment
        .par(["trust", "accept", other_tag])
        .success();
    site.fetch(other_tag, &[]).success();
}

#[test]
fn a_cached_archive_is_refused_once_it_has_expired() {
    let (site, jane) = (Site::new(), Publisher::new());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let expires = now + Duration::from_secs(15);
    let archive = jane.archive().payload(move |payload| {
        payload.insert("exp".to_owned(), expires.as_secs().into());
    });
    site.push(REFERENCE, archive);
    let fetched = site.fetch(REFERENCE, &["-o", "json"]).success().json();
    let digest = fetched["reference"].as_str().unwrap();
    let expired = UNIX_EPOCH + expires + Duration::from_secs(1);
    wait_until("the expiry", || SystemTime::now() > expired);

    for reference in [REFERENCE, digest] {
        let refused = site.fetch(reference, &[]).exit(5);
        assert!(refused.stderr.contains("expired"), "{refused}");
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn pins_are_listed_and_forgotten() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let listed = site.environment.par(["trust", "list"]).success();
    assert_eq!(listed.stdout, "");
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();

    let listed = site.environment.par(["trust", "list"]).success();
    let (issuer, subject) = (jane.issuer(), jane.subject());
    let expected = format!("registry.test/org/provider  {issuer}  {subject}  since ");
    let since = listed.line().strip_prefix(&expected).unwrap();
    assert!(humantime::parse_rfc3339(since).is_ok(), "{since}");
    let listed = site
        .environment
        .par(["trust", "list", "-o", "json"])
        .success();
    let identity = listed.json()["identities"][0].clone();
    assert_eq!(identity["repository"], "registry.test/org/provider");
    assert_eq!(identity["issuer"], issuer.as_str());
    assert_eq!(identity["service"], subject.as_str());
    let since = identity["since"].as_str().unwrap();
    assert!(humantime::parse_rfc3339(since).is_ok(), "{since}");
    assert_eq!(identity["revisions"]["1.0.0"], 7);

    let forget = ["trust", "forget", "registry.test:443/org/provider"];
    site.environment.par(forget).success();
    let missing = site.environment.par(forget).exit(3);
    assert!(missing.stderr.contains("is not pinned"), "{missing}");
    site.environment
        .par(["trust", "forget", "registry.test"])
        .exit(2);
    let by_tag = ["trust", "forget", "registry.test/org/provider:1.0.0"];
    let refused = site.environment.par(by_tag).exit(2);
    assert!(refused.stderr.contains("names a manifest"), "{refused}");
    site.push(REFERENCE, joe.archive());
    site.fetch(REFERENCE, &[]).success();
}
