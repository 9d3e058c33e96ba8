//! `par prune-tags` deletes old tags, and nothing that is needed.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::archives::{ArchiveBuilder, publisher};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{ApiRegistry, Environment, Registry};
use crate::transfer::{push, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A repository with releases.
struct Repository {
    environment: Environment,
    registry: Registry,
    name: String,
}

impl Repository {
    fn new() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let name = registry.reference("org/provider");
        Self {
            environment,
            registry,
            name,
        }
    }

    fn tagged(&self, tag: &str) -> String {
        format!("{}:{tag}", self.name)
    }

    /// Pushes an archive that was made so many days ago. Returns the digest.
    fn release(&self, tag: &str, days: u32) -> String {
        let made = SystemTime::now() - DAY * days;
        let made = made
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let (account, service) = publisher();
        let tagged = tag.to_owned();
        let archive = ArchiveBuilder::two_targets()
            .keys(account, service)
            .payload(move |payload| {
                payload.insert("iat".to_owned(), json!(made));
                payload.insert("jti".to_owned(), json!(tagged));
            });
        let file = self.environment.write("release.par", archive.build());
        push(&self.environment, &self.tagged(tag), &file)
    }

    #[track_caller]
    fn prune(&self, options: &[&str]) -> Value {
        let prune = ["prune-tags", &self.name, "-o", "json"];
        self.environment
            .par([&prune[..], options].concat())
            .success()
            .json()
    }

    /// Returns the tags of the repository, in the order of `par tags`.
    fn tags(&self) -> String {
        let tags = self.environment.par(["tags", &self.name]).success();
        tags.stdout.lines().collect::<Vec<_>>().join(" ")
    }
}

/// Returns the tags to delete, for each manifest, and whether the manifest is deleted.
fn planned(answer: &Value) -> Vec<(String, bool)> {
    let pruned = answer["pruned"].as_array().unwrap();
    let pruned = pruned.iter().map(|manifest| {
        let tags = manifest["tags"].as_array().unwrap();
        let tags: Vec<_> = tags.iter().map(|tag| tag.as_str().unwrap()).collect();
        (tags.join(" "), manifest["stays"].is_null())
    });
    pruned.collect()
}

#[test]
fn old_versions_are_deleted_and_the_newest_are_kept() {
    let repository = Repository::new();
    for (tag, days) in [("1.0.0", 90), ("1.10.0", 10), ("1.9.0", 40), ("main", 400)] {
        repository.release(tag, days);
    }
    let dry = repository.prune(&["--keep-newest", "1"]);
    assert_eq!(
        planned(&dry),
        [("1.0.0".to_owned(), true), ("1.9.0".to_owned(), true)]
    );
    assert_eq!(dry["dry_run"], true);
    assert_eq!(repository.tags(), "main 1.0.0 1.9.0 1.10.0");
    assert!(
        repository
            .registry
            .requests()
            .iter()
            .all(|request| !request.contains("DELETE") || !request.contains("/manifests/"))
    );

    let old = repository.prune(&["--older-than", "60d"]);
    assert_eq!(planned(&old), [("1.0.0".to_owned(), true)]);
    let reasons: Vec<_> = old["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["reason"].clone())
        .collect();
    assert_eq!(reasons, ["young", "young"]);
    let done = repository.prune(&["--keep-newest", "2", "--delete"]);
    assert_eq!(done["pruned"][0]["deleted"], json!(["1.0.0"]));
    assert_eq!(done["pruned"][0]["manifest_deleted"], true);
    assert_eq!(repository.tags(), "main 1.9.0 1.10.0");
    // Other tags are deleted only with a pattern. The newest of them is kept too.
    let main = repository.prune(&["--match", "^main$", "--keep-newest", "1"]);
    assert_eq!(planned(&main), []);
    let all = repository.prune(&["--match", ".", "--delete", "--keep-newest", "1"]);
    assert_eq!(planned(&all).len(), 2);
    assert_eq!(repository.tags(), "1.10.0");
    repository
        .environment
        .par(["prune-tags", &repository.name])
        .exit(2);
    repository
        .environment
        .par([
            "prune-tags",
            &repository.tagged("1.10.0"),
            "--keep-newest",
            "1",
        ])
        .exit(2);
    repository
        .environment
        .par(["prune-tags", &repository.name, "--keep-newest", "0"])
        .exit(2);
}

#[test]
fn a_manifest_that_a_lock_another_tag_or_an_index_needs_is_kept() {
    let repository = Repository::new();
    let locked = repository.release("1.0.0", 90);
    let shared = repository.release("1.1.0", 80);
    let listed = repository.release("1.2.0", 70);
    let moved = repository.release("1.3.0", 60);
    repository.release("1.4.0", 50);
    repository.release("2.0.0", 1);
    let par = |arguments: &[&str]| repository.environment.par(arguments).success();
    par(&["tag", &repository.tagged("1.1.0"), "stable"]);
    repository.environment.write(
        "list.txt",
        [repository.tagged("1.0.0"), repository.tagged("1.3.0")].join("\n"),
    );
    par(&["lock", "list.txt"]);
    // The locked tag names another manifest by now.
    let newer = repository.release("1.3.0", 20);
    assert_ne!(newer, moved);
    index(&repository, "all", &listed);

    let options = ["--keep-newest", "1", "--keep-locked", "par.lock"];
    let plan = repository.prune(&options);
    let expected = [("1.1.0", false), ("1.2.0", false), ("1.4.0", true)];
    assert_eq!(
        planned(&plan),
        expected.map(|(tag, goes)| (tag.to_owned(), goes))
    );
    let kept: Vec<_> = plan["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["tag"].clone())
        .collect();
    assert_eq!(kept, ["1.0.0", "1.3.0"]);
    // `registry:2` does not remove a tag without its manifest.
    let done = repository
        .environment
        .par([&["prune-tags", &repository.name, "--delete"], &options[..]].concat());
    let done = done.success();
    assert!(
        done.stderr
            .contains("cannot remove a tag without its manifest"),
        "{done}"
    );
    assert_eq!(
        repository.tags(),
        "all stable 1.0.0 1.1.0 1.2.0 1.3.0 2.0.0"
    );
    for digest in [&locked, &shared, &listed, &newer] {
        let pinned = format!("{}@{digest}", repository.name);
        par(&["resolve", &pinned]);
    }
}

/// Pushes an index with one manifest of the repository.
fn index(repository: &Repository, tag: &str, digest: &str) {
    let layout = repository.environment.path("layout");
    let copy = format!("oci-layout://{}:one", text(&layout));
    let pinned = format!("{}@{digest}", repository.name);
    repository
        .environment
        .par(["copy", &pinned, &copy])
        .success();
    let manifest = layout.join("blobs").join(digest.replace(':', "/"));
    let size = std::fs::metadata(manifest).unwrap().len();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": size,
        }],
    });
    let index = index.to_string();
    let named = wasmcloud_par::Digest::of(index.as_bytes()).to_string();
    std::fs::write(layout.join("blobs").join(named.replace(':', "/")), &index).unwrap();
    let whole = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": named,
            "size": index.len(),
        }],
    });
    std::fs::write(layout.join("index.json"), whole.to_string()).unwrap();
    let from = format!("oci-layout://{}", text(&layout));
    repository
        .environment
        .par(["copy", &from, &repository.tagged(tag)])
        .success();
}

#[test]
fn a_manifest_without_a_time_is_kept() {
    let repository = Repository::new();
    repository.release("2.0.0", 0);
    super::component(&repository.registry, "org/provider", "1.0.0");
    let plan = repository.prune(&["--older-than", "1d"]);
    assert_eq!(planned(&plan), []);
    let kept = plan["kept"].as_array().unwrap();
    let unknown: Vec<_> = kept
        .iter()
        .filter(|kept| kept["reason"] == "unknown-age")
        .collect();
    assert_eq!(unknown.len(), 1, "{plan}");
    assert_eq!(unknown[0]["tag"], "1.0.0");
}

#[test]
fn after_a_failure_the_deleted_tags_are_reported() {
    let repository = Repository::new();
    for tag in ["1.0.0", "1.1.0", "1.2.0", "2.0.0"] {
        repository.release(tag, 10);
    }
    let fault = Fault::status("403 Forbidden");
    let proxy = Proxy::start(
        &repository.registry,
        vec![Rule::on("DELETE", "", fault).after(1).always()],
    );
    let name = proxy.reference("org/provider");
    let prune = [
        "prune-tags",
        &name,
        "--keep-newest",
        "1",
        "--delete",
        "-o",
        "json",
    ];
    let failed = repository.environment.par(prune).exit(4);
    let answer = failed.json();
    let deleted: Vec<_> = answer["pruned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["deleted"].clone())
        .collect();
    assert_eq!(deleted, [json!(["1.0.0"]), json!([])]);
    assert!(
        failed
            .stderr
            .contains("manifests that were not tried after the failure: 1"),
        "{failed}"
    );
    assert_eq!(repository.tags(), "1.1.0 1.2.0 2.0.0");
}

#[test]
fn a_plan_needs_every_manifest() {
    let repository = Repository::new();
    for tag in ["1.0.0", "2.0.0"] {
        repository.release(tag, 10);
    }
    let fault = Fault::status("500 Internal Server Error");
    let proxy = Proxy::start(
        &repository.registry,
        vec![Rule::on("GET", "/manifests/2.0.0", fault).always()],
    );
    let name = proxy.reference("org/provider");
    let prune = ["prune-tags", &name, "--keep-newest", "1", "--delete"];
    let mut command = repository.environment.command();
    command.args(prune).env("PAR_PATIENCE", "0");
    crate::support::Outcome::of(command, b"").exit(6);
    assert_eq!(repository.tags(), "1.0.0 2.0.0");
}

#[test]
fn referrers_are_deleted_with_their_manifest_and_kept_with_a_kept_one() {
    let repository = Repository::new();
    let [old, new] = ["1.0.0", "2.0.0"].map(|tag| repository.release(tag, 10));
    let attach = |tag: &str, subject: &str| {
        super::artifact(&repository.registry, "org/provider", tag, Some(subject))
    };
    let (gone, stays) = (attach("", &old), attach("", &new));
    let tagged = attach("0.1.0", &new);
    let done = repository.prune(&["--keep-newest", "1", "--delete"]);
    let expected = [("0.1.0", false), ("1.0.0", true)];
    assert_eq!(
        planned(&done),
        expected.map(|(tag, goes)| (tag.to_owned(), goes))
    );
    for (digest, code) in [(&old, 3), (&gone, 3), (&new, 0), (&stays, 0), (&tagged, 0)] {
        let pinned = format!("{}@{digest}", repository.name);
        repository.environment.par(["resolve", &pinned]).exit(code);
    }
}

#[test]
fn a_referrer_that_a_kept_index_lists_is_not_deleted_with_its_subject() {
    let repository = Repository::new();
    let [old, _] = ["1.0.0", "2.0.0"].map(|tag| repository.release(tag, 10));
    let attach =
        |subject: &str| super::artifact(&repository.registry, "org/provider", "", Some(subject));
    let signature = attach(&old);
    let listed = attach(&signature);
    index(&repository, "all", &listed);
    let done = repository.prune(&["--keep-newest", "1", "--delete"]);
    assert_eq!(planned(&done), [("1.0.0".to_owned(), true)]);
    for (digest, code) in [(&old, 3), (&signature, 0), (&listed, 0)] {
        let pinned = format!("{}@{digest}", repository.name);
        repository.environment.par(["resolve", &pinned]).exit(code);
    }
    let all = repository.tagged("all");
    let copy = ["copy", &all, "oci-layout://copied:all"];
    repository.environment.par(copy).success();
}

#[test]
fn a_tag_that_a_registry_keeps_after_its_manifest_is_deleted_is_removed() {
    let (environment, registry) = (Environment::new(), ApiRegistry::start());
    let name = registry.reference("org/provider");
    for tag in ["1.0.0", "2.0.0"] {
        let (account, service) = publisher();
        let archive = ArchiveBuilder::two_targets()
            .keys(account, service)
            .world(tag.as_bytes());
        let file = environment.write("release.par", archive.build());
        push(&environment, &format!("{name}:{tag}"), &file);
    }
    let prune = ["prune-tags", &name, "--keep-newest", "1", "--delete"];
    environment.par(prune).success();
    let tags = environment.par(["tags", &name]).success();
    assert_eq!(tags.stdout, "2.0.0\n");
    environment
        .par(["delete", "--force", &format!("{name}:2.0.0")])
        .success();
    let resolve = ["resolve", &format!("{name}:2.0.0")];
    environment.par(resolve).exit(3);
}
