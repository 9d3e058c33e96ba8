//! Continuing an interrupted mirror, and mirroring through a layout.

use super::{PROVIDERS, Site, assert_statuses, writes};
use crate::support::Environment;
use crate::support::archives::ArchiveBuilder;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::transfer::push;

#[test]
fn an_interrupted_mirror_is_continued_and_sends_nothing_twice() {
    let site = Site::new();
    let cut = ["PUT", "POST"].map(|method| {
        Rule::on(method, "", Fault::status("500 Internal Server Error"))
            .after(6)
            .always()
    });
    let proxy = Proxy::start(&site.mirror, cut.to_vec());
    let place = proxy.reference("mirror");
    let outcome = site.par(&["mirror", "wadm.yaml", &place, "-o", "json"]);
    let answer = outcome.json();
    assert_ne!(outcome.code, 0, "{outcome}");
    let failed = super::statuses(&answer);
    assert!(
        failed.iter().any(|(_, status)| status == "failed"),
        "{answer}"
    );
    // The exit code of the refused archive replaces that of the interruption.
    assert_eq!(outcome.code, 5, "{outcome}");

    let answer = site.mirror(&["-o", "json"]).exit(5).json();
    for (reference, status) in super::statuses(&answer) {
        let expected: &[&str] = if reference.contains("/evil:") {
            &["refused"]
        } else {
            &["copied", "present"]
        };
        assert!(expected.contains(&&*status), "{reference}: {answer}");
    }
    for name in PROVIDERS.iter().filter(|name| **name != "evil") {
        let digest = site.resolved(&site.mirrored(name));
        assert_eq!(digest.as_deref(), Some(site.digest(name)), "{name}");
    }
    let seen = site.mirror.requests().len();
    site.mirror(&[]).exit(5);
    assert_eq!(writes(&site.mirror, seen), [""; 0]);
}

#[test]
fn a_layout_carries_full_names_to_the_other_site_and_the_policy_is_asked_there_too() {
    let site = Site::new();
    let layout = "oci-layout://stick";
    let written = site
        .par(&["mirror", "wadm.yaml", layout, "-o", "json"])
        .exit(5);
    let written = written.json();
    assert_statuses(&written, "copied", &[("evil", "refused")]);
    assert_eq!(written["hosts"], serde_json::json!([]));
    let index = site.read("stick/index.json");
    assert!(index.contains(&site.reference("http")), "{index}");
    assert!(!index.contains("/evil"), "{index}");
    let again = site
        .par(&["mirror", "wadm.yaml", layout, "-o", "json"])
        .exit(5);
    assert_statuses(&again.json(), "present", &[("evil", "refused")]);
    assert_eq!(site.read("stick/index.json"), index);

    let read = site
        .par(&["mirror", layout, &site.place(), "-o", "json"])
        .success();
    let answer = read.json();
    assert_statuses(&answer, "copied", &[]);
    assert_eq!(super::statuses(&answer).len(), PROVIDERS.len());
    for name in ["http", "redis", "nats", "blobs"] {
        let digest = site.resolved(&site.mirrored(name));
        assert_eq!(digest.as_deref(), Some(site.digest(name)), "{name}");
    }
    assert_eq!(
        site.resolved(&site.mirrored("hello")),
        Some(site.component.clone())
    );
    // The policy of the other site refuses this publisher.
    let rule = format!(
        "default = \"deny\"\n[[rule]]\nmatch = \"{}/org/http\"\n",
        site.origin.address()
    );
    site.environment.write("strict.toml", rule);
    let strict = [
        "mirror",
        layout,
        &site.place(),
        "--trust",
        "strict.toml",
        "-o",
        "json",
    ];
    let refused = site.par(&strict).exit(5).json();
    assert_statuses(
        &refused,
        "refused",
        &[("http", "present"), ("hello", "present")],
    );
}

#[test]
fn a_reference_with_a_digest_only_gets_a_tag_in_the_mirror_and_is_mirrored_on_by_digest() {
    let site = Site::new();
    let repository = site.origin.reference("org/http");
    let pinned = format!("{repository}@{}", site.digest("http"));
    site.environment.write("list.txt", &pinned);
    site.par(&["mirror", "list.txt", "oci-layout://stick"])
        .success();
    let answer = site.par(&["mirror", "oci-layout://stick", &site.place(), "-o", "json"]);
    let answer = answer.success().json();
    assert_eq!(answer["mirrored"][0]["reference"], pinned);
    let tag = format!("digest-{}", site.digest("http").replace(':', "-"));
    let name = site.mirrored("http").replace("1.0.0", &tag);
    assert_eq!(site.resolved(&name).as_deref(), Some(site.digest("http")));
    let other = format!("{repository}:1.0.0@{}", site.digest("redis"));
    site.environment.write("list.txt", &other);
    let wrong = site.par(&["mirror", "list.txt", &site.place()]);
    assert_ne!(wrong.code, 0, "{wrong}");
}

#[test]
fn one_name_is_not_given_to_two_manifests() {
    let site = Site::new();
    let first = site.digest("http").to_owned();
    let tag = ["tag", &site.reference("http"), "1.0.1"];
    site.par(&tag).success();
    let archive = ArchiveBuilder::two_targets().published().build();
    let file = site.environment.write("other.par", archive);
    let moved = push(&Environment::new(), &site.reference("http"), &file);
    let pinned = |digest: &str| format!("{}@{digest}", site.reference("http"));
    let both = [pinned(&first), pinned(&moved)];
    site.environment.write("list.txt", both.join("\n"));
    site.environment.write("any.toml", "");
    for mirror in [&*site.place(), "oci-archive://carried.tar"] {
        let mirror = [
            "mirror",
            "list.txt",
            mirror,
            "--trust",
            "any.toml",
            "--change-identity",
            "-o",
            "json",
        ];
        for _ in 0..2 {
            let answer = site.par(&mirror).exit(2).json();
            let failures = answer["failures"].as_array().unwrap();
            assert_eq!(failures.len(), 1, "{answer}");
            let message = failures[0]["message"].as_str().unwrap();
            assert!(
                message.contains("its name in the mirror is that of"),
                "{message}"
            );
        }
    }
}
