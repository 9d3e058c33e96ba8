//! A mirror in one file: the tar of an image layout, which the operator carries to another site.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::{PROVIDERS, Site, artifact, assert_statuses, statuses, writes};
use crate::support::archives::ArchiveBuilder;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, Registry, ended, wait_until};

/// The mirror, as it is written as DST and as LIST.
const TAR: &str = "oci-archive://carried.tar";
const FILE: &str = "carried.tar";
const GOOD: [&str; 4] = ["http", "redis", "nats", "blobs"];

impl Site {
    #[track_caller]
    fn carry(&self, options: &[&str]) -> Outcome {
        self.par(&[&["mirror", "wadm.yaml", TAR, "-o", "json"][..], options].concat())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Returns the names of the tar and of the files that are left beside it.
    fn tars(&self) -> Vec<String> {
        let files = self.environment.files().into_iter();
        let here = files.filter_map(|file| file.strip_prefix("work/").map(str::to_owned));
        here.filter(|file| file.contains(".tar")).collect()
    }

    /// Returns the digest of the layer of a provider.
    fn layer(&self, name: &str) -> String {
        let manifest = fs::read(self.origin.blob(self.digest(name))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// Starts a command.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.environment.command();
        command.args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

/// Returns the names in the tar, sorted, each with the digest of its manifest.
fn named(site: &Site) -> Vec<(String, String)> {
    let tar = fs::File::open(site.path(FILE)).unwrap();
    let mut tar = tar::Archive::new(tar);
    let mut entries = tar.entries().unwrap().map(Result::unwrap);
    let index = entries.find(|entry| entry.path().unwrap() == Path::new("index.json"));
    let index: Value = serde_json::from_reader(index.unwrap()).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let named = manifests.filter_map(|manifest| {
        let name = manifest["annotations"]["org.opencontainers.image.ref.name"].as_str()?;
        Some((name.to_owned(), manifest["digest"].as_str()?.to_owned()))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

/// Returns the names and digests in a tar that has everything except the provider `evil`.
fn expected(site: &Site) -> Vec<(String, String)> {
    let good = GOOD.map(|name| (site.reference(name), site.digest(name).to_owned()));
    let mut expected = good.to_vec();
    expected.push((site.reference("hello"), site.component.clone()));
    expected.sort();
    expected
}

#[test]
fn a_tar_carries_a_deployment_and_its_referrers_to_the_other_site() {
    let site = Site::new();
    let subject = site.digest("http").to_owned();
    let signature = artifact(&site.origin, "org/http", "", Some(&subject));
    let nested = artifact(&site.origin, "org/http", "nested", Some(&signature));
    let written = site.carry(&[]).exit(5).json();
    assert_statuses(&written, "copied", &[("evil", "refused")]);
    assert_eq!(written["mirror"], TAR);
    assert_eq!(written["hosts"], json!([]));
    assert_eq!(site.tars(), [FILE]);
    let names = named(&site);
    let (lists, names): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|(name, _)| name.starts_with("sha256-"));
    assert_eq!(names, expected(&site));
    assert_eq!(lists.len(), 2, "the lists of referrers: {lists:?}");
    let refused = site.origin.blob(site.digest("evil"));
    let refused = fs::read(refused).unwrap();
    let tar = site.bytes(FILE);
    assert!(
        !tar.windows(refused.len()).any(|window| window == refused),
        "the refused manifest is in the tar"
    );

    let read = site.par(&["mirror", FILE, &site.place(), "-o", "json"]);
    let answer = read.success().json();
    assert_statuses(&answer, "copied", &[]);
    assert_eq!(statuses(&answer).len(), PROVIDERS.len());
    for name in PROVIDERS {
        let digest = (name != "evil").then(|| site.digest(name).to_owned());
        assert_eq!(site.resolved(&site.mirrored(name)), digest, "{name}");
    }
    let repository = site.mirrored("http").replace(":1.0.0", "");
    for digest in [&signature, &nested] {
        let pinned = format!("{repository}@{digest}");
        assert_eq!(site.resolved(&pinned).as_ref(), Some(digest));
    }
    // Both ways to name the tar mean the same mirror, and nothing is sent twice.
    let seen = site.mirror.requests().len();
    for list in [FILE, TAR] {
        let again = site.par(&["mirror", list, &site.place(), "-o", "json"]);
        assert_statuses(&again.success().json(), "present", &[]);
    }
    assert_eq!(writes(&site.mirror, seen), [""; 0]);
    assert_eq!(site.bytes(FILE), tar, "reading has changed the tar");
    // The policy of the other site is asked, about the original references.
    let rule = format!(
        "default = \"deny\"\n[[rule]]\nmatch = \"{}/org/http\"\n",
        site.origin.address()
    );
    site.environment.write("strict.toml", rule);
    let other = Registry::start();
    let place = other.reference("mirror");
    let strict = [
        "mirror",
        FILE,
        &place,
        "--trust",
        "strict.toml",
        "-o",
        "json",
    ];
    let refused = site.par(&strict).exit(5).json();
    let others = [("http", "copied"), ("hello", "copied")];
    assert_statuses(&refused, "refused", &others);
}

#[test]
fn a_complete_tar_is_not_written_again_and_nothing_is_requested_twice() {
    let site = Site::new();
    site.carry(&[]).exit(5);
    let (before, seen) = (site.bytes(FILE), site.origin.requests().len());
    let modified = || fs::metadata(site.path(FILE)).unwrap().modified().unwrap();
    let time = modified();
    let again = site.carry(&[]).exit(5).json();
    assert_statuses(&again, "present", &[("evil", "refused")]);
    let sent: u64 = again["mirrored"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["sent"].as_u64())
        .sum();
    assert_eq!(sent, 0, "{again}");
    assert_eq!((site.bytes(FILE), modified()), (before, time));
    assert_eq!(site.tars(), [FILE]);
    let asked = site.origin.requests().split_off(seen);
    let blobs = asked
        .iter()
        .filter(|request| request.contains("/blobs/sha256:"));
    let layers = blobs.filter(|request| request.starts_with("GET "));
    assert_eq!(layers.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn equal_content_gives_an_equal_tar() {
    let site = Site::new();
    let subject = site.digest("http").to_owned();
    for tag in ["one", "two"] {
        let signature = artifact(&site.origin, "org/http", tag, Some(&subject));
        artifact(&site.origin, "org/redis", "", Some(&signature));
    }
    site.carry(&[]).exit(5);
    let first = site.bytes(FILE);
    for _ in 0..3 {
        fs::remove_file(site.path(FILE)).unwrap();
        site.carry(&[]).exit(5);
        assert!(site.bytes(FILE) == first, "another tar");
    }
    // Another user, and the references in another order.
    let other = Environment::new();
    let policy = "home/.config/wasmcloud-par/trust.toml";
    let policy = site.environment.home().with_file_name(policy);
    other.write(
        "../home/.config/wasmcloud-par/trust.toml",
        fs::read(policy).unwrap(),
    );
    let names = ["nats", "hello", "blobs", "evil", "redis", "http"];
    other.write(
        "list.txt",
        names.map(|name| site.reference(name)).join("\n"),
    );
    other.par(["mirror", "list.txt", TAR]).exit(5);
    assert!(fs::read(other.path(FILE)).unwrap() == first, "another tar");
}

#[test]
fn a_tar_is_compared_without_a_change() {
    let site = Site::new();
    for option in ["--check", "--dry-run"] {
        let code = if option == "--check" { 5 } else { 0 };
        site.environment.write("list.txt", site.reference("http"));
        let compare = ["mirror", "list.txt", TAR, option, "-o", "json"];
        let missing = site.par(&compare).exit(code).json();
        assert_statuses(&missing, "missing", &[]);
        assert!(missing["mirrored"][0]["sent"].as_u64().unwrap() > 1000);
        assert_eq!(site.tars(), [""; 0], "{option}");
    }
    site.par(&["mirror", "list.txt", TAR]).success();
    let before = site.bytes(FILE);
    for option in ["--check", "--dry-run"] {
        let compare = ["mirror", "list.txt", TAR, option, "-o", "json"];
        let present = site.par(&compare).success().json();
        assert_statuses(&present, "present", &[]);
        assert_eq!(present["mirrored"][0]["sent"], 0);
    }
    artifact(&site.origin, "org/http", "", Some(site.digest("http")));
    let check = ["mirror", "list.txt", TAR, "--check", "-o", "json"];
    let incomplete = site.par(&check).exit(5).json();
    assert_statuses(&incomplete, "incomplete", &[]);
    // The tar alone is enough to find out what the next mirror lacks.
    let place = site.place();
    let beyond = ["mirror", FILE, &place, "--check", "-o", "json"];
    assert_statuses(&site.par(&beyond).exit(5).json(), "missing", &[]);
    assert_eq!(
        site.mirror
            .requests()
            .iter()
            .filter(|it| it.contains("PUT"))
            .count(),
        0
    );
    assert_eq!(site.bytes(FILE), before);
    assert_eq!(site.tars(), [FILE]);
}

#[cfg(unix)]
#[test]
fn a_mirror_into_a_tar_that_was_killed_is_continued() {
    let site = Site::new();
    // The references lead through a proxy, about which the policy of the site has no rule.
    let layer = |name: &str| site.layer(name);
    let stalled = format!("/blobs/{}", layer("nats"));
    let proxy = Proxy::start(
        &site.origin,
        vec![Rule::on("GET", &stalled, Fault::StallAnswer(100)).always()],
    );
    site.environment.write(
        "hosts/_default/hosts.toml",
        format!("server = \"http://{}\"\n", proxy.address()),
    );
    let hosts = ["mirror", "wadm.yaml", TAR, "--hosts-dir", "hosts"];
    let mut child = site.start(&hosts);
    let stored = ["http", "redis"].map(|name| {
        let blob = layer(name).replace(':', "/");
        site.path(&format!("{FILE}.partial/layout/blobs/{blob}"))
    });
    wait_until("two archives are stored and the third one stalls", || {
        stored.iter().all(|path| path.exists()) && !proxy.seen("GET", &stalled).is_empty()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!site.path(FILE).exists());
    assert!(site.path(&format!("{FILE}.partial")).exists());

    let proxy = Proxy::start(&site.origin, Vec::new());
    site.environment.write(
        "hosts/_default/hosts.toml",
        format!("server = \"http://{}\"\n", proxy.address()),
    );
    let continued = site.par(&hosts).exit(5);
    assert_eq!(site.tars(), [FILE], "{continued}");
    assert_eq!(named(&site), expected(&site));
    for name in ["http", "redis"] {
        let again = proxy.seen("GET", &format!("/blobs/{}", layer(name)));
        assert_eq!(again.len(), 0, "{name} is downloaded again");
    }
    for name in GOOD {
        let inside = format!("{TAR}:{}", site.reference(name));
        site.par(&["verify", &inside]).success();
    }
    let whole = site.bytes(FILE);
    fs::remove_file(site.path(FILE)).unwrap();
    site.carry(&[]).exit(5);
    assert!(site.bytes(FILE) == whole, "continuing gives another tar");
}

#[test]
fn two_mirrors_into_one_tar_at_once_lose_nothing() {
    let site = Site::new();
    let children: Vec<Child> = GOOD
        .iter()
        .map(|name| {
            let list = format!("{name}.txt");
            let both = format!("{}\n{}\n", site.reference(name), site.reference("hello"));
            site.environment.write(&list, both);
            site.start(&["mirror", &list, TAR])
        })
        .collect();
    for child in children {
        let output = ended(child);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(named(&site), expected(&site));
    assert_eq!(site.tars(), [FILE]);
    site.environment
        .write("all.txt", GOOD.map(|name| site.reference(name)).join("\n"));
    site.par(&["mirror", "all.txt", TAR, "--check"]).success();
}

#[test]
fn a_failure_does_not_keep_the_other_artifacts_out_of_the_tar() {
    let site = Site::new();
    let lines = [
        site.reference("http"),
        site.reference("none"),
        site.reference("evil"),
    ];
    site.environment.write("list.txt", lines.join("\n"));
    let outcome = site.par(&["mirror", "list.txt", TAR, "-o", "json"]);
    let others = [("none", "failed"), ("evil", "refused")];
    assert_statuses(&outcome.exit(5).json(), "copied", &others);
    let http = (site.reference("http"), site.digest("http").to_owned());
    assert_eq!(named(&site), [http]);
    // If nothing can be copied, no tar is written.
    site.environment.write("list.txt", site.reference("evil"));
    let nothing = ["mirror", "list.txt", "oci-archive://nothing.tar"];
    site.par(&nothing).exit(5);
    assert_eq!(site.tars(), [FILE]);
}

#[test]
fn a_file_that_is_not_a_layout_is_recognized_and_no_request_is_sent() {
    let site = Site::new();
    let archive = ArchiveBuilder::two_targets().build();
    site.environment.write("plain.par", &archive);
    let zipped = crate::support::archives::gzip(&archive);
    site.environment.write("zipped.par.gz", zipped);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    tar.append_data(&mut header, "some/file", &b"hello"[..])
        .unwrap();
    site.environment
        .write("other.tar", tar.into_inner().unwrap());
    site.carry(&[]).exit(5);
    site.environment.write(
        "zipped.tar.gz",
        crate::support::archives::gzip(&site.bytes(FILE)),
    );
    let mut docker = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    docker
        .append_data(&mut header, "manifest.json", &b"[]"[..])
        .unwrap();
    site.environment
        .write("docker.tar", docker.into_inner().unwrap());
    let cut = site.bytes(FILE);
    site.environment.write("cut.tar", &cut[..cut.len() / 2]);
    fs::copy(site.path(FILE), site.path("carried.tar:1")).unwrap();
    let place = site.place();
    for (list, code, words) in [
        (
            "plain.par",
            2,
            &["plain.par is a provider archive", "par push"][..],
        ),
        (
            "zipped.par.gz",
            2,
            &["zipped.par.gz", "provider archive", "par push"],
        ),
        ("other.tar", 3, &["other.tar is not an OCI image layout"]),
        (
            "docker.tar",
            3,
            &[
                "docker.tar is not an OCI image layout: it is a `docker-archive`",
                "skopeo copy docker-archive:FILE.tar oci-archive:NEW.tar",
            ],
        ),
        (
            "carried.tar:1",
            2,
            &["carried.tar:1 is a tar", "another name"],
        ),
        ("zipped.tar.gz", 2, &["zipped.tar.gz", "gzip"]),
        ("cut.tar", 5, &["cut.tar", "it is cut"]),
    ] {
        let outcome = site.par(&["mirror", list, &place]);
        assert_eq!(outcome.code, code, "{outcome}");
        for word in words {
            assert!(outcome.stderr.contains(word), "{word}: {outcome}");
        }
    }
    assert_eq!(site.mirror.requests(), [""; 0]);
    // Commands that expect an archive refuse the tar.
    let pushed = site.mirror.reference("org/tar:1");
    let push = ["push", &pushed, FILE];
    for command in [&["inspect", FILE][..], &["verify", FILE], &push] {
        let refused = site.par(command).exit(5);
        for words in [
            "the tar of an OCI image layout",
            "oci-archive://FILE.tar:NAME",
        ] {
            assert!(refused.stderr.contains(words), "{words}: {refused}");
        }
    }
}

#[test]
fn a_failure_to_write_the_tar_is_reported_once() {
    let site = Site::new();
    site.environment.write(FILE, "text");
    let failed = site
        .par(&["mirror", "wadm.yaml", TAR, "-o", "json"])
        .exit(3);
    assert_statuses(&failed.json(), "failed", &[]);
    assert_eq!(
        failed.stderr.matches("it is not a tar").count(),
        1,
        "{failed}"
    );
    assert_eq!(site.read(FILE), "text");
    assert_eq!(
        site.origin
            .requests()
            .iter()
            .filter(|it| it.contains("GET /v2/org/http/blobs"))
            .count(),
        0
    );
}

/// Returns the names of the blobs in the tar that no name reaches: that neither the index nor a manifest in the tar names.
fn unreached(site: &Site) -> Vec<String> {
    let tar = fs::File::open(site.path(FILE)).unwrap();
    let mut tar = tar::Archive::new(tar);
    let mut texts = String::new();
    let mut blobs = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Some(digest) = name.strip_prefix("blobs/sha256/")
            && !digest.is_empty()
        {
            blobs.push(digest.to_owned());
        }
        // Manifests and the index are text, and the archives are not.
        texts.push_str(std::str::from_utf8(&content).unwrap_or_default());
    }
    blobs.retain(|digest| !texts.contains(&format!("sha256:{digest}")));
    blobs
}

#[test]
fn a_reference_that_fails_in_the_middle_leaves_nothing_in_the_tar_and_is_continued() {
    let site = Site::new();
    let subject = site.digest("redis").to_owned();
    let signature = artifact(&site.origin, "org/redis", "", Some(&subject));
    let proxy = |rules: Vec<Rule>| {
        let proxy = Proxy::start(&site.origin, rules);
        let server = format!("server = \"http://{}\"\n", proxy.address());
        site.environment.write("hosts/_default/hosts.toml", server);
        proxy
    };
    let carry = ["--hosts-dir", "hosts"];
    let names = |kept: &dyn Fn(&str) -> bool| {
        let mut expected = expected(&site);
        expected.retain(|(name, _)| kept(name));
        expected
    };
    // The attachment is listed, the archive is copied, and then reading the attachment fails.
    let refused = Fault::status("403 Forbidden");
    let path = format!("/manifests/{signature}");
    let _first = proxy(vec![Rule::on("GET", &path, refused).after(1).always()]);
    let outcome = site.carry(&carry);
    assert_ne!(outcome.code, 0, "{outcome}");
    let others = [("evil", "refused"), ("redis", "failed")];
    assert_statuses(&outcome.json(), "copied", &others);
    assert_eq!(named(&site), names(&|name| !name.contains("/redis:")));
    assert_eq!(unreached(&site), [""; 0]);
    let layer = site.layer("redis").replace(':', "/");
    let left = format!("{FILE}.partial/layout/blobs/{layer}");
    assert!(site.path(&left).exists(), "{outcome}");
    assert!(outcome.stderr.contains("carried.tar.partial"), "{outcome}");
    let stored = format!(
        "{FILE}.partial/layout/blobs/{}",
        site.layer("http").replace(':', "/")
    );
    assert!(
        !site.path(&stored).exists(),
        "a blob of the tar is kept twice"
    );

    let second = proxy(Vec::new());
    let continued = site.carry(&carry).exit(5);
    let others = [("evil", "refused"), ("redis", "copied")];
    assert_statuses(&continued.json(), "present", &others);
    let again = second.seen("GET", &format!("/blobs/{}", site.layer("redis")));
    assert_eq!(again.len(), 0, "the archive is downloaded again");
    assert_eq!(site.tars(), [FILE], "{continued}");
    let whole = site.bytes(FILE);
    fs::remove_file(site.path(FILE)).unwrap();
    site.carry(&[]).exit(5);
    assert!(site.bytes(FILE) == whole, "continuing gives another tar");
}

#[test]
fn no_tar_is_written_when_the_only_reference_fails_in_the_middle() {
    let site = Site::new();
    let subject = site.digest("http").to_owned();
    let signature = artifact(&site.origin, "org/http", "", Some(&subject));
    site.environment.write("list.txt", site.reference("http"));
    let path = format!("/manifests/{signature}");
    let refused = Fault::status("403 Forbidden");
    let refused = Rule::on("GET", &path, refused).after(1).always();
    let proxy = Proxy::start(&site.origin, vec![refused]);
    let server = format!("server = \"http://{}\"\n", proxy.address());
    site.environment.write("hosts/_default/hosts.toml", server);
    let carry = ["mirror", "list.txt", TAR, "--hosts-dir", "hosts"];
    let failed = site.par(&carry);
    assert_ne!(failed.code, 0, "{failed}");
    assert!(!site.path(FILE).exists(), "{failed}");
    assert!(failed.stderr.contains("is unchanged"), "{failed}");
    site.par(&["mirror", "list.txt", TAR]).success();
    assert_eq!(site.tars(), [FILE]);
}
