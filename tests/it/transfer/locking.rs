//! Lock files: a deployment uses only the archives that it is pinned to.

mod deployments;
mod everything;
mod publishers;
mod refusing;
mod turns;

use std::fs;
use std::os::unix::fs::MetadataExt;

use nkeys::KeyPair;
use serde_json::json;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::Lock;
use wasmcloud_par::content::ErrorKind;

use super::{block_on, client, digest, par, push, requests_about, text};
use crate::support::archives::{ArchiveBuilder, LINUX};
use crate::support::{Environment, Outcome, Registry};

const WHAT_RUNS: &str = "list.txt";

/// A deployment of two providers of one publisher.
struct Deployment {
    environment: Environment,
    registry: Registry,
    account: KeyPair,
    service: KeyPair,
    /// The references and the digests of their manifests.
    a: (String, String),
    b: (String, String),
}

impl Deployment {
    fn new() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
        let archive = |world: &[u8]| {
            let keys = ArchiveBuilder::two_targets().keys(account.clone(), service.clone());
            environment.write("pushed.par", keys.world(world).build())
        };
        let [a, b] = ["a", "b"].map(|name| {
            let reference = registry.reference(&format!("{name}:1.0.0"));
            let digest = push(&environment, &reference, &archive(name.as_bytes()));
            (reference, digest)
        });
        environment.write(WHAT_RUNS, format!("# What runs\n{}\n{}\n", b.0, a.0));
        Self {
            environment,
            registry,
            account,
            service,
            a,
            b,
        }
    }

    /// Returns a deployment that is locked.
    fn locked() -> Self {
        let deployment = Self::new();
        deployment.par(&["lock", WHAT_RUNS]).success();
        deployment
    }

    #[track_caller]
    fn par(&self, arguments: &[&str]) -> Outcome {
        self.environment.par(arguments)
    }

    #[track_caller]
    fn fetch(&self, options: &[&str]) -> Outcome {
        let fetch = ["fetch", &self.a.0, "--target", LINUX.0];
        self.par(&[&fetch[..], options].concat())
    }

    /// Moves the tag of the first provider to an archive of another publisher. Returns the digest of that manifest.
    fn move_tag(&self) -> String {
        let other = ArchiveBuilder::two_targets().build();
        let file = self.environment.write("other.par", other);
        push(&self.environment, &self.a.0, &file)
    }

    fn lock_file(&self) -> String {
        fs::read_to_string(self.environment.path("par.lock")).unwrap()
    }

    fn entry(&self, (reference, digest): &(String, String)) -> String {
        let (issuer, subject) = (self.account.public_key(), self.service.public_key());
        format!(
            "\n[[provider]]\nreference = \"{reference}\"\ndigest = \"{digest}\"\n\
             issuer = \"{issuer}\"\nsubject = \"{subject}\"\nversion = \"1.2.3\"\nrevision = 7\n"
        )
    }
}

#[test]
fn a_lock_file_has_digests_and_publishers_in_the_order_of_references() {
    let deployment = Deployment::new();
    let locked = deployment.par(&["lock", WHAT_RUNS]).success();
    let [a, b] = [&deployment.a, &deployment.b];
    let added = |(reference, digest): &(String, String)| format!("{reference}: added, {digest}\n");
    assert_eq!(locked.stdout, added(a) + &added(b));
    let text = deployment.lock_file();
    let (header, entries) = text.split_at(text.find("version = 1").unwrap());
    assert!(
        header.starts_with('#') && header.lines().count() == 1,
        "{header}"
    );
    let expected = format!(
        "version = 1\n{}{}",
        deployment.entry(a),
        deployment.entry(b)
    );
    assert_eq!(entries, expected);

    // The second time there is nothing to report, and the file is not written.
    let inode = || {
        fs::metadata(deployment.environment.path("par.lock"))
            .unwrap()
            .ino()
    };
    let before = inode();
    let again = deployment.par(&["lock", WHAT_RUNS, "-o", "json"]).success();
    assert_eq!(again.json()["changes"], json!([]));
    assert_eq!(inode(), before);
    assert_eq!(deployment.lock_file(), text);
}

#[test]
fn a_locked_digest_is_fetched_although_its_tag_has_moved() {
    let deployment = Deployment::locked();
    let moved = deployment.move_tag();
    let seen = deployment.registry.requests().len();

    let empty = text(&deployment.environment.path("empty")).to_owned();
    let options = ["--locked", "--cache-dir", &empty, "-o", "json"];
    let fetched = deployment.fetch(&options).success().json();

    assert_eq!(fetched["digest"], deployment.a.1.as_str());
    assert_eq!(fetched["issuer"], deployment.account.public_key());
    let requests = deployment.registry.requests().split_off(seen);
    let by_tag = requests.iter().filter(|request| request.contains("1.0.0"));
    assert_eq!(by_tag.count(), 0, "{requests:?}");
    let unlocked = deployment.fetch(&["-o", "json"]).success().json();
    assert_eq!(unlocked["digest"], moved.as_str());
    // The locked digest is accepted as well as the tag.
    let (repository, _) = deployment.a.0.rsplit_once(':').unwrap();
    for (digest, code) in [(&deployment.a.1, 0), (&moved, 5)] {
        let pinned = format!("{repository}@{digest}");
        let fetch = ["fetch", &pinned, "--locked", "--target", LINUX.0];
        deployment.par(&fetch).exit(code);
    }
}

#[test]
fn a_reference_that_is_not_locked_is_refused_without_a_request() {
    let deployment = Deployment::locked();
    let seen = deployment.registry.requests().len();
    let other = deployment.registry.reference("a:1.0.1");
    let lock = deployment.environment.path("par.lock");
    for options in [&["--locked"][..], &["--lock-file", text(&lock)]] {
        let fetch = [&["fetch", &other][..], options].concat();
        let refused = deployment.par(&fetch).exit(5);
        let said = format!("par.lock does not allow it: {other} is not in the lock file");
        assert!(refused.stderr.contains(&said), "{refused}");
        assert!(refused.stderr.contains("`par lock`"), "{refused}");
    }
    let mut command = deployment.environment.command();
    command.args(["pull", &other]).env("PAR_LOCK", &lock);
    let refused = Outcome::of(command, b"").exit(5);
    let said = format!("the lock file {} does not allow it: ", lock.display());
    assert!(refused.stderr.contains(&said), "{refused}");
    assert_eq!(deployment.registry.requests().len(), seen);
    let mut command = deployment.environment.command();
    command
        .args(["lock", WHAT_RUNS])
        .env("PAR_LOCK", "named.lock");
    Outcome::of(command, b"").success();
    let named = std::fs::read(deployment.environment.path("named.lock"));
    assert_eq!(named.unwrap(), deployment.lock_file().into_bytes());

    let none = deployment.fetch(&["--lock-file", "none.lock"]).exit(3);
    assert!(none.stderr.contains("none.lock"), "{none}");
    let broken = deployment
        .environment
        .write("broken.lock", "version = 1\n?");
    let broken = deployment.fetch(&["--lock-file", text(&broken)]).exit(2);
    assert!(broken.stderr.contains("broken.lock, line 2"), "{broken}");
}

#[test]
fn an_archive_of_another_publisher_under_a_locked_digest_is_refused() {
    let deployment = Deployment::locked();
    let (issuer, other) = (deployment.account.public_key(), KeyPair::new_account());
    let edited = deployment.lock_file().replace(&issuer, &other.public_key());
    deployment.environment.write("par.lock", edited);
    let refused = deployment.fetch(&["--locked"]).exit(5);
    assert!(
        refused.stderr.contains(&format!("has the issuer {issuer}")),
        "{refused}"
    );
    assert!(refused.stderr.contains("par.lock"), "{refused}");
    assert_eq!(refused.stdout, "");
    let pull = [
        "pull",
        &deployment.a.0,
        "--locked",
        "--destination",
        "pulled.par",
    ];
    deployment.par(&pull).exit(5);
    assert!(!deployment.environment.path("pulled.par").exists());
}

#[test]
fn a_locked_pull_is_by_digest_too() {
    let deployment = Deployment::locked();
    deployment.move_tag();
    let pull = ["pull", &deployment.a.0, "--locked", "-o", "json"];
    let pulled = deployment.par(&pull).success().json();
    assert_eq!(pulled["digest"], deployment.a.1.as_str());
}

#[test]
fn a_check_reports_moved_tags_and_changes_nothing() {
    let deployment = Deployment::locked();
    let check = ["lock", "--check", WHAT_RUNS];
    assert_eq!(deployment.par(&check).success().stdout, "");
    let before = deployment.lock_file();
    let (reference, old) = &deployment.a;
    let new = deployment.move_tag();
    deployment.environment.write("only-a.txt", reference);

    let differs = deployment.par(&["lock", "--check", "only-a.txt"]).exit(5);
    let (b, _) = &deployment.b;
    let moved = format!("{reference}: digest {old} -> {new}\n");
    assert_eq!(differs.stdout, format!("{moved}{b}: removed\n"));
    assert!(differs.stderr.contains("not up to date"), "{differs}");
    assert_eq!(deployment.lock_file(), before);
    // A check only resolves tags and downloads nothing.
    let file = deployment.environment.path("other.par");
    assert_eq!(
        requests_about(&deployment.registry, "GET", &digest(&file)),
        0
    );

    let lock = ["lock", WHAT_RUNS, "--accept-identity"];
    let updated = deployment.par(&lock).success();
    assert!(updated.stdout.starts_with(&moved), "{updated}");
    let issuer = deployment.account.public_key();
    let changed = format!("{reference}: issuer {issuer} -> ");
    assert!(updated.stdout.contains(&changed), "{updated}");
    deployment.par(&check).success();
    deployment.environment.write("par.lock", "version = 1\n");
    let json = deployment
        .par(&["lock", "--check", "only-a.txt", "-o", "json"])
        .exit(5)
        .json();
    assert_eq!(json["error"]["kind"], "not_verified");
    let expected = json!([{ "reference": reference, "field": "digest", "from": null, "to": new }]);
    assert_eq!(json["changes"], expected);
}

#[test]
fn the_providers_of_a_wadm_manifest_are_locked() {
    let deployment = Deployment::new();
    let manifest = format!(
        "apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: hello
spec:
  components:
    - name: hello
      type: component
      properties:
        image: file://./build/hello_s.wasm
    - name: server
      type: capability
      properties:
        image: {}
",
        deployment.a.0
    );
    let file = deployment.environment.write("wadm.yaml", &manifest);
    let locked = deployment
        .par(&["lock", text(&file), "--verbose"])
        .success();
    assert!(locked.stderr.contains("hello"), "{locked}");
    let from_file = deployment.lock_file();
    assert!(from_file.ends_with(&deployment.entry(&deployment.a)));
    assert_eq!(from_file.matches("[[provider]]").count(), 1);
    let mut command = deployment.environment.command();
    command.args(["lock", "-", "--destination", "piped.lock"]);
    Outcome::of(command, manifest.as_bytes()).success();
    let piped = fs::read_to_string(deployment.environment.path("piped.lock")).unwrap();
    assert_eq!(piped, from_file);
}

#[test]
fn all_references_are_locked_or_none() {
    let deployment = Deployment::locked();
    let before = deployment.lock_file();
    let address = deployment.registry.address();
    for (name, content, code, said) in [
        ("gone.txt", format!("{address}/a:9"), 3, "the manifest 9"),
        ("bad.txt", "\nnowhere".to_owned(), 2, "bad.txt, line 2"),
        ("late.txt", format!("{address}/a"), 2, "late.txt, line 1"),
        (
            "bad.yaml",
            "kind: Application\nspec: [".to_owned(),
            2,
            "bad.yaml",
        ),
        ("large.txt", "#".repeat(1 << 21), 2, "larger than"),
    ] {
        deployment.environment.write(name, content);
        let refused = deployment.par(&["lock", WHAT_RUNS, name]).exit(code);
        assert!(refused.stderr.contains(said), "{refused}");
        assert_eq!(deployment.lock_file(), before);
    }
    deployment.par(&["lock", "none.txt"]).exit(3);
    // One password must not be sent to two registries.
    deployment
        .environment
        .write("other.txt", "registry.test/a:1.0.0");
    let both = ["lock", WHAT_RUNS, "other.txt", "--user=u", "--password=p"];
    let refused = deployment.par(&both).exit(2);
    assert!(refused.stderr.contains("two registries"), "{refused}");
    assert_eq!(deployment.lock_file(), before);
    let other = KeyPair::new_account().public_key();
    let fresh = ["lock", WHAT_RUNS, "--destination", "fresh.lock"];
    deployment
        .par(&[&fresh[..], &["--issuer", &other]].concat())
        .exit(5);
    assert!(!deployment.environment.path("fresh.lock").exists());
}

#[test]
fn a_host_with_a_lock_uses_only_locked_references() {
    let deployment = Deployment::locked();
    let lock = Lock::read(&deployment.environment.path("par.lock")).unwrap();
    let moved = deployment.move_tag();
    let reference = deployment.a.0.parse().unwrap();
    let pinned = lock.pinned(&reference).unwrap().to_string();
    assert!(pinned.ends_with(&deployment.a.1), "{pinned}");
    let client = client(&deployment.environment.path("cache")).with_lock(lock);
    let target: Target = LINUX.0.parse().unwrap();
    let fetched = block_on(client.fetch(&reference, &target)).unwrap();
    assert_eq!(fetched.digest.to_string(), deployment.a.1);
    assert_eq!(fs::read(fetched.path).unwrap(), LINUX.1);
    let inspected = block_on(client.inspect(&reference)).unwrap();
    assert_eq!(inspected.digest.to_string(), deployment.a.1);
    let other = reference.with_digest(moved.parse().unwrap());
    let refused = block_on(client.inspect(&other)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotVerified, "{refused}");
}

#[test]
fn layouts_are_locked_like_registries() {
    let deployment = Deployment::new();
    let reference = "oci-layout://site/layout:1.0.0";
    let file = deployment.environment.path("pushed.par");
    fs::create_dir(deployment.environment.path("site")).unwrap();
    let digest = push(&deployment.environment, reference, &file);
    deployment.environment.write("layout.txt", reference);
    let locked = par(&deployment.environment, ["lock", "layout.txt"]).success();
    assert_eq!(locked.line(), format!("{reference}: added, {digest}"));
    let fetch = ["fetch", reference, "--locked", "--target", LINUX.0];
    deployment.par(&fetch).success();
}
