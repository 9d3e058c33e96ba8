//! `par resolve`, `par tag` and `par delete`.

use serde_json::json;

use super::{par, push, requests_about, small, text};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, Terminal};

/// Returns a registry with an archive as `provider:1.0.0`, and the digest of its manifest.
fn site() -> (Environment, Registry, String) {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let digest = push(&environment, &registry.reference("provider:1.0.0"), &file);
    (environment, registry, digest)
}

#[test]
fn a_reference_is_resolved_with_one_request() {
    let (environment, registry, digest) = site();
    let reference = registry.reference("provider:1.0.0");
    let pinned = registry.reference(&format!("provider@{digest}"));
    let seen = registry.requests().len();
    let resolved = par(&environment, ["resolve", &reference]).success();
    assert_eq!(resolved.line(), pinned);
    let requests = registry.requests().split_off(seen);
    assert_eq!(requests, ["HEAD /v2/provider/manifests/1.0.0"]);
    let resolved = par(&environment, ["resolve", &pinned, "-o", "json"]).success();
    assert_eq!(resolved.json()["digest"], digest.as_str());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    assert_eq!(resolved.json()["media_type"], media_type);

    par(&environment, ["resolve", &registry.reference("provider:2")]).exit(3);
    par(&environment, ["resolve", &registry.reference("provider")]).exit(2);
}

#[test]
fn a_tag_is_added_to_a_manifest() {
    let (environment, registry, digest) = site();
    let reference = registry.reference("provider:1.0.0");
    let seen = registry.requests().len();
    let tagged = par(&environment, ["tag", &reference, "1.0"]).success();
    assert_eq!(
        tagged.line(),
        registry.reference(&format!("provider@{digest}"))
    );
    let requests = registry.requests().split_off(seen);
    // The tag is looked up first, and the manifest afterwards.
    let expected = [
        "GET /v2/provider/manifests/1.0.0".to_owned(),
        "HEAD /v2/provider/manifests/1.0".to_owned(),
        "PUT /v2/provider/manifests/1.0".to_owned(),
        format!("HEAD /v2/provider/manifests/{digest}"),
    ];
    assert_eq!(requests, expected);
    let resolved = par(
        &environment,
        ["resolve", &registry.reference("provider:1.0")],
    );
    assert!(resolved.success().line().ends_with(&digest));

    par(
        &environment,
        ["tag", &registry.reference("provider:2"), "3"],
    )
    .exit(3);
    let seen = registry.requests().len();
    let refused = par(&environment, ["tag", &reference, "a/b"]).exit(2);
    assert!(refused.stderr.contains("is not a tag"), "{refused}");
    let whole = registry.reference("provider:2.0");
    let refused = par(&environment, ["tag", &reference, &whole]).exit(2);
    let hint = format!("`par tag {reference} 2.0`");
    assert!(refused.stderr.contains(&hint), "{refused}");
    let refused = par(&environment, ["tag", &reference, "latest"]).exit(2);
    assert!(refused.stderr.contains("--allow-latest"), "{refused}");
    assert_eq!(registry.requests().len(), seen);
    let allowed = ["tag", &reference, "latest", "--allow-latest"];
    par(&environment, allowed).success();

    let layout = "oci-layout://layout:1.0.0";
    let digest = push(&environment, layout, &environment.path("provider.par"));
    par(&environment, ["tag", layout, "1.0"]).success();
    let resolved = par(&environment, ["resolve", "oci-layout://layout:1.0"]).success();
    assert_eq!(resolved.line(), format!("oci-layout://layout@{digest}"));
    par(&environment, ["tag", "oci-layout://none:1.0.0", "1.0"]).exit(3);
    assert!(!environment.path("none").exists());
}

#[test]
fn a_tag_is_set_when_the_registry_confirms_it_or_resolves_it() {
    let (environment, registry, digest) = site();
    let reference = |host: &str, tag: &str| format!("{host}/provider:{tag}");
    let file = environment.path("provider.par");
    let put = |tag: &str, fault| {
        let path = format!("/manifests/{tag}");
        Rule::on("PUT", &path, fault)
    };
    let rules = vec![
        put(
            "quiet",
            Fault::edit(|answer| answer.remove("docker-content-digest")),
        ),
        put("none", Fault::status("201 Created")),
        put("1.0.0", Fault::status("201 Created")),
        put("pushed", Fault::status("201 Created")),
    ];
    let proxy = Proxy::start(&registry, rules);
    let source = reference(proxy.address(), "1.0.0");
    par(&environment, ["tag", &source, "quiet"]).success();
    let quiet = par(
        &environment,
        ["resolve", &reference(registry.address(), "quiet")],
    );
    assert!(quiet.success().line().ends_with(&digest));

    let refused = par(&environment, ["tag", &source, "none"]).exit(5);
    assert!(
        refused.stderr.contains("nothing under the tag none"),
        "{refused}"
    );
    let pushed = reference(proxy.address(), "pushed");
    par(&environment, ["push", &pushed, text(&file)]).exit(5);
    // The tag still points to the manifest from before.
    let newer = small(&environment, "newer.par");
    let refused = par(&environment, ["push", &source, text(&newer)]).exit(5);
    assert!(refused.stderr.contains(&digest), "{refused}");
}

#[test]
fn a_deleted_manifest_is_gone_with_all_its_tags() {
    let (environment, registry, digest) = site();
    let reference = registry.reference("provider:1.0.0");
    let pinned = registry.reference(&format!("provider@{digest}"));
    // Without a terminal, the deletion cannot be confirmed.
    let refused = par(&environment, ["delete", &reference]).exit(2);
    assert!(refused.stderr.contains("--force"), "{refused}");
    par(&environment, ["tag", &reference, "1.0"]).success();
    // A reference with one tag does not delete a manifest with another tag.
    let refused = par(&environment, ["delete", &reference, "--force"]).exit(7);
    assert!(
        refused.stderr.contains("other tags of its manifest: 1.0\n"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains(&format!("par delete {pinned}")),
        "{refused}"
    );
    assert_eq!(requests_about(&registry, "DELETE", &digest), 0);

    let options = ["delete", &pinned, "--force", "-o", "json"];
    let deleted = par(&environment, options).success().json();
    assert_eq!(deleted["tags"], json!(["1.0", "1.0.0"]));
    for name in [&pinned, &reference] {
        par(&environment, ["resolve", name]).exit(3);
        par(&environment, ["delete", name, "--force"]).exit(3);
    }
}

#[test]
fn on_a_terminal_a_deletion_is_confirmed_and_no_is_the_default() {
    let (environment, registry, digest) = site();
    let reference = registry.reference("provider:1.0.0");
    let pinned = registry.reference(&format!("provider@{digest}"));
    let answered = |keys: &str| {
        let mut terminal = Terminal::run(&environment, &["delete", &reference]);
        terminal.expect(&format!("Delete {pinned}, and its tag 1.0.0? [y/N] "));
        terminal.press(keys);
        terminal.end()
    };
    for keys in ["\n", "n\n", "\u{4}", "maybe\n"] {
        let (shown, code) = answered(keys);
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("\nerror: "), "{shown}");
        assert!(shown.contains("was not deleted"), "{shown}");
    }
    let (shown, code) = answered("\u{3}");
    assert_eq!(code, Some(130), "{shown}");
    assert_eq!(requests_about(&registry, "DELETE", "/manifests/"), 0);
    let (shown, code) = answered("y\n");
    assert_eq!(code, Some(0), "{shown}");
    par(&environment, ["resolve", &reference]).exit(3);
}

#[test]
fn a_tag_that_is_set_during_the_question_prevents_the_deletion() {
    let (environment, registry, _) = site();
    let reference = registry.reference("provider:1.0.0");
    let mut terminal = Terminal::run(&environment, &["delete", &reference]);
    terminal.expect("[y/N] ");
    par(&environment, ["tag", &reference, "stable"]).success();
    terminal.press("y\n");
    let (shown, code) = terminal.end();
    assert_eq!(code, Some(7), "{shown}");
    assert!(shown.contains("its tags have changed"), "{shown}");
    assert_eq!(requests_about(&registry, "DELETE", "/manifests/"), 0);
}

#[test]
fn a_manifest_with_one_tag_is_deleted_by_it_and_other_manifests_stay() {
    let (environment, registry, _) = site();
    let file = small(&environment, "another.par");
    let another = push(&environment, &registry.reference("provider:2.0.0"), &file);
    let reference = registry.reference("provider:1.0.0");
    par(&environment, ["delete", &reference, "--force"]).success();
    par(&environment, ["resolve", &reference]).exit(3);
    let resolved = par(
        &environment,
        ["resolve", &registry.reference("provider:2.0.0")],
    );
    assert!(resolved.success().line().ends_with(&another));
}

#[test]
fn a_deletion_that_is_not_possible_is_an_error() {
    let (environment, registry, digest) = site();
    let read_only = Registry::builder()
        .read_only()
        .storage(registry.storage())
        .start();
    let pinned = read_only.reference(&format!("provider@{digest}"));
    let refused = par(&environment, ["delete", &pinned, "--force"]).exit(4);
    assert!(
        refused.stderr.contains("operator of the registry"),
        "{refused}"
    );
    let layout = "oci-layout://layout:1.0.0";
    push(&environment, layout, &environment.path("provider.par"));
    let refused = par(&environment, ["delete", layout, "--force"]).exit(2);
    assert!(refused.stderr.contains("image layout"), "{refused}");
    par(&environment, ["verify", layout]).success();
}

#[test]
fn tags_and_deletions_ignore_an_outdated_mirror() {
    let (environment, registry, old) = site();
    let mirror = Registry::start();
    let file = environment.path("provider.par");
    assert_eq!(
        push(&environment, &mirror.reference("provider:1.0.0"), &file),
        old
    );
    let hosts = format!(
        "server = \"http://{}\"\n[host.\"http://{}\"]\ncapabilities = [\"pull\", \"resolve\"]\n",
        registry.address(),
        mirror.address()
    );
    let hosts = environment.write("hosts/registry.test/hosts.toml", hosts);
    let directory = hosts
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .display()
        .to_string();
    // The tag moves to another manifest, and the first manifest gets another tag.
    par(
        &environment,
        ["tag", &registry.reference("provider:1.0.0"), "0.9.0"],
    )
    .success();
    let file = small(&environment, "newer.par");
    let new = push(&environment, &registry.reference("provider:1.0.0"), &file);

    let reference = "registry.test/provider:1.0.0";
    let resolved = par(
        &environment,
        ["resolve", reference, "--hosts-dir", &directory],
    )
    .success();
    assert!(resolved.line().ends_with(&old), "{resolved}");
    let options = ["tag", reference, "1.0", "--hosts-dir", &directory];
    let tagged = par(&environment, options).success();
    assert!(tagged.line().ends_with(&new), "{tagged}");
    let options = ["delete", reference, "--force", "--hosts-dir", &directory];
    let refused = par(&environment, options).exit(7);
    assert!(
        refused.stderr.contains("of its manifest: 1.0\n"),
        "{refused}"
    );
    let named = format!("registry.test/provider@{new}");
    let options = [
        "delete",
        &named,
        "--force",
        "--hosts-dir",
        &directory,
        "-o",
        "json",
    ];
    let deleted = par(&environment, options).success().json();
    assert_eq!(deleted["tags"], json!(["1.0", "1.0.0"]));
    let stays = registry.reference("provider:0.9.0");
    let stays = par(&environment, ["resolve", &stays]).success();
    assert!(stays.line().ends_with(&old), "{stays}");
}
