//! The annotations that a push writes, and what `par inspect` shows of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{par, text};
use crate::support::archives::{ArchiveBuilder, VENDOR};
use crate::support::{Environment, Outcome, Registry};

const IMAGE: &str = "org.opencontainers.image.";
const COMMIT: &str = "org.opencontainers.image.revision";

struct Setup {
    environment: Environment,
    registry: Registry,
    file: PathBuf,
}

impl Setup {
    fn new() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let archive = ArchiveBuilder::two_targets().published();
        let file = environment.write("provider.par", archive.build());
        Self {
            environment,
            registry,
            file,
        }
    }

    fn push(&self, more: &[&str], epoch: &str) -> Outcome {
        let reference = self.registry.reference("provider:1");
        let mut command = self.environment.command();
        command.env("SOURCE_DATE_EPOCH", epoch);
        command.args([&["push", &reference, text(&self.file)], more].concat());
        Outcome::of(command, b"")
    }

    /// Pushes, and returns the annotations of the OCI image specification on the manifest.
    #[track_caller]
    fn annotations(&self, more: &[&str], epoch: &str) -> Value {
        let pushed = self.push(more, epoch).success();
        let (_, digest) = pushed.line().rsplit_once('@').unwrap();
        let manifest = fs::read(self.registry.blob(digest)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let annotations = manifest["annotations"].as_object().unwrap().iter();
        let annotations =
            annotations.filter_map(|(key, value)| Some((key.strip_prefix(IMAGE)?, value)));
        annotations
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect()
    }

    /// Runs git in the directory `source`, which is a repository with one commit after `init`.
    fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.environment.command_for(Path::new("git"));
        let user = [
            "-c",
            "user.name=Tester",
            "-c",
            "user.email=tester@example.com",
        ];
        command.args(user).args(["-C", "source"]).args(arguments);
        Outcome::of(command, b"").success().stdout.trim().to_owned()
    }

    fn repository(&self, remote: Option<&str>) -> String {
        self.environment.write("source/main.rs", "fn main() {}");
        self.git(&["init", "--quiet"]);
        self.git(&["add", "main.rs"]);
        self.git(&["commit", "--quiet", "-m", "Begin"]);
        if let Some(remote) = remote {
            self.git(&["remote", "add", "origin", remote]);
        }
        self.git(&["rev-parse", "HEAD"])
    }
}

#[test]
fn the_claims_and_the_time_of_the_build_are_annotations() {
    let setup = Setup::new();
    let mut expected = json!({
        "title": "Test Provider",
        "vendor": VENDOR,
        "version": "1.2.3",
    });
    assert_eq!(setup.annotations(&[], ""), expected);
    expected["created"] = "2023-11-14T22:13:20Z".into();
    assert_eq!(setup.annotations(&[], "1700000000"), expected);
    setup.push(&[], "yesterday").exit(2);
    // An annotation of the user replaces that of the push.
    let title = format!("{IMAGE}title=Mine");
    let created = format!("{IMAGE}created=today");
    expected["title"] = "Mine".into();
    expected["created"] = "today".into();
    let given = ["-a", &title, "-a", &created];
    assert_eq!(setup.annotations(&given, "1700000000"), expected);
}

#[test]
fn claims_without_a_name_or_a_version_give_no_such_annotation() {
    let mut setup = Setup::new();
    let archive = ArchiveBuilder::two_targets().published().wascap(|wascap| {
        wascap.remove("name");
        wascap.remove("ver");
        wascap.insert("vendor".to_owned(), "".into());
    });
    setup.file = setup.environment.write("bare.par", archive.build());
    assert_eq!(setup.annotations(&[], ""), json!({}));
}

#[test]
fn the_source_is_that_of_the_git_repository_without_credentials() {
    let setup = Setup::new();
    let commit = setup.repository(Some("https://user:hunter2@git.example.com/org/x.git"));
    let annotations = setup.annotations(&["--source=source"], "");
    assert_eq!(annotations["revision"], Value::from(commit.as_str()));
    assert_eq!(annotations["source"], "https://git.example.com/org/x");
    let pushed = setup.push(&["--source=source"], "").success();
    assert!(!pushed.stderr.contains("warning"), "{pushed}");
    let given = format!("{COMMIT}=mine");
    let annotations = setup.annotations(&["--source=source", "-a", &given], "");
    assert_eq!(annotations["revision"], "mine");

    // There is a warning about a changed tracked file, and none about an untracked file.
    setup.environment.write("source/new.rs", "");
    let pushed = setup.push(&["--source=source"], "").success();
    assert!(!pushed.stderr.contains("warning"), "{pushed}");
    setup
        .environment
        .write("source/main.rs", "fn main() { changed() }");
    let pushed = setup.push(&["--source=source"], "").success();
    assert!(pushed.stderr.contains("differ from the commit"), "{pushed}");
    assert!(!pushed.stderr.contains("hunter2"), "{pushed}");
}

#[test]
fn a_directory_without_a_commit_is_an_error_and_one_without_a_remote_gives_a_warning() {
    let setup = Setup::new();
    let refused = setup.push(&["--source"], "").exit(2);
    assert!(refused.stderr.contains("not a git repository"), "{refused}");
    setup.push(&["--source=missing"], "").exit(2);
    let commit = setup.repository(None);
    let pushed = setup.push(&["--source=source"], "").success();
    assert!(pushed.stderr.contains("no remote"), "{pushed}");
    let annotations = setup.annotations(&["--source=source"], "");
    assert_eq!(annotations["revision"], Value::from(commit));
    assert_eq!(annotations.get("source"), None);
}

#[test]
fn inspecting_a_reference_shows_its_manifest_and_each_executable() {
    let setup = Setup::new();
    let pushed = setup.push(&["-a", "com.example.note=hello"], "").success();
    let (_, digest) = pushed.line().rsplit_once('@').unwrap();
    let reference = setup.registry.reference("provider:1");
    let json = par(&setup.environment, ["inspect", &reference, "-o", "json"]);
    let json = json.success().json();
    assert_eq!(json["digest"], digest);
    let size = setup.file.metadata().unwrap().len();
    assert_eq!(json["size"], size);
    assert_eq!(json["annotations"]["com.example.note"], "hello");
    assert_eq!(json["annotations"][format!("{IMAGE}version")], "1.2.3");
    assert_eq!(json["signed"], "2023-11-14T22:13:20Z");
    let executables = json["executables"].as_array().unwrap();
    for (shown, (target, content)) in executables.iter().zip([
        crate::support::archives::MACOS,
        crate::support::archives::LINUX,
    ]) {
        let hash = wasmcloud_par::content::Digest::of(content).to_string();
        let expected = json!({
            "target": target, "size": content.len(), "hash": hash, "facts": null,
        });
        assert_eq!(shown, &expected);
    }
    let text = par(&setup.environment, ["inspect", &reference]).success();
    for part in [
        digest,
        "com.example.note: hello",
        "signed on 2023-11-14T22:13:20Z",
        executables[0]["hash"].as_str().unwrap(),
    ] {
        assert!(text.stdout.contains(part), "{part} is not in {text}");
    }
    // A file has no manifest.
    let json = par(
        &setup.environment,
        ["inspect", self::text(&setup.file), "-o", "json"],
    );
    let mut json = json.success().json();
    assert_eq!(json["size"], size);
    // The executables of a file are read, so their facts are known.
    for executable in json["executables"].as_array_mut().unwrap() {
        assert!(executable["facts"].take().is_object());
    }
    assert_eq!(json["executables"], Value::from(executables.clone()));
    assert_eq!(json.get("digest"), None);
    assert_eq!(json.get("annotations"), None);
}

#[test]
fn the_annotation_of_a_rotation_statement_is_reserved() {
    let setup = Setup::new();
    let annotation = "com.wasmcloud.par.rotation=eyJ0";
    let refused = setup.push(&["-a", annotation], "").exit(2);
    assert!(refused.stderr.contains("--rotation"), "{refused}");
}
