//! `par prune-tags` deletes old tags, and nothing that is needed.

use std::process::Stdio;
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wasmcloud_par::client::Retention;
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::Reference;

use crate::support::archives::{ArchiveBuilder, publisher};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{ApiRegistry, Environment, Registry, block_on, ended, wait_until};
use crate::transfer::{client, push, text};

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
    // Without a unit, days would be taken for seconds.
    let older = ["prune-tags", &repository.name, "--older-than", "90"];
    let refused = repository.environment.par(older).exit(2);
    assert!(refused.stderr.contains("unit"), "{refused}");
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
    // A variable that is not set must not select every tag.
    repository
        .environment
        .par(["prune-tags", &repository.name, "--match", "", "--delete"])
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
    let plan = repository.prune(&["--keep-newest", "1"]);
    let done = repository.prune(&["--keep-newest", "1", "--delete"]);
    for answer in [&plan, &done] {
        assert_eq!(answer["pruned"][0]["attached"], json!([]));
        assert_eq!(answer["pruned"][1]["attached"], json!([gone]));
    }
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

/// Asserts that the repository has these manifests, and not those.
#[track_caller]
fn assert_has(repository: &Repository, these: &[&String], those: &[&String]) {
    for (digests, code) in [(these, 0), (those, 3)] {
        for digest in digests {
            let pinned = format!("{}@{digest}", repository.name);
            repository.environment.par(["resolve", &pinned]).exit(code);
        }
    }
}

#[test]
fn the_number_of_requests_does_not_grow_with_the_square_of_the_number_of_tags() {
    let repository = Repository::new();
    for number in 0..20 {
        repository.release(&format!("1.{number}.0"), 10);
    }
    repository.release("2.0.0", 1);
    let before = repository.registry.requests().len();
    let done = repository.prune(&["--keep-newest", "1", "--delete"]);
    assert_eq!(planned(&done).len(), 20);
    assert_eq!(repository.tags(), "2.0.0");
    let requests = repository.registry.requests().split_off(before);
    let asked = |tag: &str| {
        let path = format!("/manifests/{tag}");
        requests
            .iter()
            .filter(|request| request.ends_with(&path))
            .count()
    };
    // Once for the plan, and before the first, the 9th and the 17th deletion. `par tags` above asks for no manifest.
    assert!(asked("2.0.0") <= 4, "{requests:#?}");
    // The last one is also asked for at its own deletion.
    assert!(asked("1.19.0") <= 6, "{requests:#?}");
}

#[test]
fn the_lists_that_change_with_each_deleted_referrer_cause_few_requests() {
    let repository = Repository::new();
    // Each release has a referrer with a tag, such as an exported container image. It is deleted before the release.
    for number in 10..20 {
        let release = repository.release(&format!("1.{number}.0"), 10);
        let tag = format!("0.{number}.0");
        super::artifact(&repository.registry, "org/provider", &tag, Some(&release));
    }
    repository.release("2.0.0", 1);
    let before = repository.registry.requests().len();
    let done = repository.prune(&["--keep-newest", "1", "--delete"]);
    assert_eq!(planned(&done).len(), 20);
    assert_eq!(repository.tags(), "2.0.0");
    let requests = repository.registry.requests().split_off(before);
    let asked = requests
        .iter()
        .filter(|request| request.ends_with("/manifests/2.0.0"));
    assert!(asked.count() <= 4, "{requests:#?}");
}

#[test]
fn a_manifest_that_a_tag_needs_since_the_plan_was_made_is_not_deleted() {
    let repository = Repository::new();
    let tags = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];
    let [named, listed, replaced, gone] = tags.map(|tag| repository.release(tag, 10));
    let signed = super::artifact(&repository.registry, "org/provider", "", Some(&named));
    let client = client(&repository.environment.path("cache"));
    let Ok(Reference::Registry(place)) = repository.tagged("1.0.0").parse() else {
        unreachable!("it is one");
    };
    let mut retention = Retention::default();
    retention.tags = tags.map(str::to_owned).into();
    let plan = block_on(client.prune_plan(&place, &retention)).unwrap();
    assert_eq!(plan.pruned.len(), 4);
    assert!(plan.pruned.iter().all(|manifest| manifest.stays.is_none()));

    // Other clients create tags, and move one.
    let tag = ["tag", &repository.tagged("1.0.0"), "stable"];
    repository.environment.par(tag).success();
    index(&repository, "all", &listed);
    let newer = repository.release("1.2.0", 1);
    let outcomes = block_on(client.prune_tags(&plan));
    let outcomes = outcomes.iter().map(|outcome| {
        let kind = outcome.error.as_ref().map(|error| error.kind());
        (outcome.deleted.join(" "), outcome.manifest_deleted, kind)
    });
    let kept = || (String::new(), false, Some(ErrorKind::Conflict));
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [
            kept(),
            kept(),
            (String::new(), true, None),
            ("1.3.0".to_owned(), true, None),
        ]
    );
    assert_has(
        &repository,
        &[&named, &signed, &listed, &newer],
        &[&replaced, &gone],
    );
    assert_eq!(repository.tags(), "all stable 1.0.0 1.1.0 1.2.0");
}

#[test]
fn a_tag_that_moves_during_the_deletion_keeps_its_new_manifest() {
    let repository = Repository::new();
    let tags = ["1.0.0", "1.1.0", "1.2.0"];
    let [first, moved, tagged] = tags.map(|tag| repository.release(tag, 10));
    repository.release("2.0.0", 1);
    let reached = Arc::new(Barrier::new(2));
    let rule = Rule::on(
        "DELETE",
        "/manifests/",
        Fault::Together(Arc::clone(&reached)),
    );
    let proxy = Proxy::start(&repository.registry, vec![rule]);
    let name = proxy.reference("org/provider");
    let mut command = repository.environment.command();
    command.args(["prune-tags", &name, "--keep-newest", "1", "--delete"]);
    command.args(["--patience", "100"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let pruning = command.spawn().unwrap();
    wait_until("the first manifest is deleted", || {
        !proxy.seen("DELETE", "/manifests/").is_empty()
    });
    // All tags were read by now. The next deletion finds that its tag has moved, and reads all tags again.
    let newer = repository.release("1.1.0", 5);
    let tag = ["tag", &repository.tagged("1.2.0"), "stable"];
    repository.environment.par(tag).success();
    reached.wait();
    let output = ended(pruning);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{said}");
    let reason = format!("{name}:stable was created or moved after the deletion was planned");
    assert!(said.contains(&reason), "{said}");
    assert_has(&repository, &[&newer, &tagged], &[&first, &moved]);
    assert_eq!(repository.tags(), "stable 1.1.0 1.2.0 2.0.0");
}
