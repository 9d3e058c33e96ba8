//! Deleting a tag without its manifest.

use serde_json::json;

use super::{par, push, small};
use crate::support::{Answer, Environment, Outcome, Registry, Server};

#[test]
fn removing_a_tag_never_deletes_the_manifest_where_single_tags_cannot_be_deleted() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let [one, other] = ["p:1.0.0", "p:1.0"].map(|name| registry.reference(name));
    let digest = push(&environment, &one, &file);
    let only = registry.reference("q:1.0.0");
    push(&environment, &only, &file);
    push(&environment, &other, &file);
    for format in ["text", "json"] {
        let delete = ["delete", "--tag", &one, "--force", "-o", format];
        let refused = par(&environment, delete).exit(1);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        let expected = format!(
            "the registry cannot delete a tag without its manifest, and {digest} has other tags too: 1.0"
        );
        assert!(said.contains(&expected), "{refused}");
        assert!(
            said.contains(&format!("par delete {}", one.replace(":1.0.0", "@"))),
            "{refused}"
        );
    }
    let refused = par(&environment, ["delete", "--tag", &only, "--force"]).exit(1);
    assert!(refused.stderr.contains("has no other tag"), "{refused}");
    for reference in [&one, &other, &only] {
        let resolved = par(&environment, ["resolve", reference]).success();
        assert!(resolved.line().contains("@sha256:"), "{resolved}");
    }
    let none = registry.reference("p:none");
    par(&environment, ["delete", "--tag", &none, "--force"]).exit(3);
    let pinned = format!("{}@{digest}", one.trim_end_matches(":1.0.0"));
    let refused = par(&environment, ["delete", "--tag", &pinned, "--force"]).exit(2);
    assert!(refused.stderr.contains("names no tag"), "{refused}");
    let refused = par(&environment, ["delete", "--tag", &one]).exit(2);
    assert!(refused.stderr.contains("--force"), "{refused}");
}

/// A registry of version 1.1 of the specification in front of `registry`: `delete` answers the request to delete a tag.
fn newer(registry: &Registry, delete: impl Fn() -> Answer + Send + Sync + 'static) -> Server {
    let address = registry.address().to_owned();
    let deleted = std::sync::atomic::AtomicBool::new(false);
    Server::start(move |asked, _| {
        let is_tag = asked.target.ends_with("/manifests/1.0.0");
        if is_tag && asked.method == "DELETE" {
            deleted.store(true, std::sync::atomic::Ordering::SeqCst);
            return delete();
        }
        if is_tag && deleted.load(std::sync::atomic::Ordering::SeqCst) {
            return Answer::status("404 Not Found");
        }
        asked.forward(&address)
    })
}

#[test]
fn a_tag_is_removed_and_its_manifest_stays() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let digest = push(&environment, &registry.reference("p:1.0.0"), &file);
    let server = newer(&registry, || Answer::status("202 Accepted"));
    let reference = server.reference("p:1.0.0");
    let delete = ["delete", "--tag", &reference, "--force", "-o", "json"];
    let object = par(&environment, delete).success().json();
    let pinned = server.reference(&format!("p@{digest}"));
    let expected = json!({
        "success": true,
        "reference": pinned,
        "digest": digest,
        "tags": ["1.0.0"],
        "manifest_deleted": false,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&object[key], value, "{object}");
    }
    let deletes = server.asked("DELETE", "");
    assert_eq!(deletes.len(), 1);
    assert!(deletes[0].target.ends_with("/v2/p/manifests/1.0.0"));
}

#[test]
fn a_tag_that_does_not_name_the_given_digest_is_kept() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    push(&environment, &registry.reference("p:1.0.0"), &file);
    let server = newer(&registry, || Answer::status("202 Accepted"));
    let other = format!("p:1.0.0@sha256:{}", "0".repeat(64));
    let reference = server.reference(&other);
    par(&environment, ["delete", "--tag", &reference, "--force"]).exit(5);
    assert_eq!(server.asked("DELETE", "").len(), 0);
}

#[test]
fn a_registry_that_is_not_allowed_to_delete_says_so() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    push(&environment, &registry.reference("p:1.0.0"), &file);
    let server = newer(&registry, || Answer::status("403 Forbidden"));
    let reference = server.reference("p:1.0.0");
    let refused = par(&environment, ["delete", "--tag", &reference, "--force"]).exit(4);
    assert!(
        !refused.stderr.contains("without its manifest"),
        "{refused}"
    );
}

#[test]
fn a_tag_of_a_layout_can_always_be_removed() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let digest = push(&environment, "oci-layout://layout:1.0.0", &file);
    push(&environment, "oci-layout://layout:1.0", &file);
    let delete = ["delete", "--tag", "oci-layout://layout:1.0.0", "--force"];
    let deleted = par(&environment, delete).success();
    assert!(deleted.line().ends_with(&digest), "{deleted}");
    let tags = par(&environment, ["tags", "oci-layout://layout"]).success();
    assert_eq!(tags.stdout, "1.0\n");
    par(&environment, delete).exit(3);
    let last = ["delete", "--tag", "oci-layout://layout:1.0", "--force"];
    par(&environment, last).success();
    let pinned = format!("oci-layout://layout@{digest}");
    par(&environment, ["verify", &pinned]).success();
    let whole = ["delete", &pinned, "--force"];
    let refused = par(&environment, whole).exit(2);
    assert!(refused.stderr.contains("--tag"), "{refused}");

    // Other tools write whole references as names.
    let index = environment.path("layout/index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    let named = text.replace(
        &format!("\"digest\":\"{digest}\""),
        &format!(
            "\"annotations\":{{\"org.opencontainers.image.ref.name\":\"ghcr.io/org/p:2\",\"other\":\"kept\"}},\"digest\":\"{digest}\""
        ),
    );
    assert_ne!(text, named);
    std::fs::write(&index, named).unwrap();
    let delete = ["delete", "--tag", "oci-layout://layout:2", "--force"];
    par(&environment, delete).success();
    let text = std::fs::read_to_string(&index).unwrap();
    assert!(!text.contains("ghcr.io") && text.contains("kept"), "{text}");
}

#[test]
fn the_user_is_asked_before_a_tag_is_removed() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, "oci-layout://layout:1.0.0", &file);
    let delete = ["delete", "--tag", "oci-layout://layout:1.0.0"];
    let mut command = environment.command();
    command.args(delete);
    let refused = Outcome::of(command, b"y\n").exit(2);
    assert!(refused.stderr.contains("no terminal"), "{refused}");
}
