//! Container images of archives, read by this crate and by skopeo.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Metadata};
use wasmcloud_par::content::{Digest, Silent};

use super::{VENDOR, digest, par, push, text};
use crate::support::archives::{headed, publisher, publishing};
use crate::support::{Environment, Outcome, Registry};

/// The time at which the archive was signed, in seconds since 1970.
const SIGNED: u64 = 1_700_000_000;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An archive with two executables for Linux and one for macOS. The first is one of this machine.
fn archive(environment: &Environment) -> PathBuf {
    let mut writer = ArchiveWriter::new(Metadata {
        name: Some("Test Provider".to_owned()),
        vendor: VENDOR.to_owned(),
        version: Some("1.2.3".to_owned()),
        revision: Some(4),
        ..Metadata::default()
    });
    fs::copy("/bin/true", environment.path("true")).unwrap();
    for (target, file) in [
        ("x86_64-linux", environment.path("true")),
        ("riscv64-linux", environment.write("riscv", riscv())),
        (
            "aarch64-macos",
            environment.write("macos", headed("aarch64-macos", "mac")),
        ),
    ] {
        writer.executable(target.parse().unwrap(), Input::File(file));
    }
    let path = environment.path("provider.par.gz");
    let signer = publishing().at(UNIX_EPOCH + Duration::from_secs(SIGNED));
    writer
        .write(&path, &signer, Compression::Gzip, &Silent)
        .unwrap();
    path
}

fn riscv() -> Vec<u8> {
    headed("riscv64gc-linux", "the executable for riscv64")
}

/// Reads blobs of a layout in the current directory of the command.
struct Layout(PathBuf);

impl Layout {
    fn json(&self, digest: &Value) -> Value {
        let bytes = self.bytes(digest);
        serde_json::from_slice(&bytes).unwrap()
    }

    fn bytes(&self, digest: &Value) -> Vec<u8> {
        let name = digest.as_str().unwrap().replace(':', "/");
        let bytes = fs::read(self.0.join("blobs").join(name)).unwrap();
        assert_eq!(Digest::of(&bytes).to_string(), digest.as_str().unwrap());
        bytes
    }

    /// Returns the only index of the layout, and its name.
    fn only(&self) -> (Value, Option<String>) {
        let index = fs::read(self.0.join("index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        let [entry] = index["manifests"].as_array().unwrap().as_slice() else {
            panic!("{index}");
        };
        assert_eq!(entry["mediaType"], INDEX);
        let name = &entry["annotations"]["org.opencontainers.image.ref.name"];
        (
            self.json(&entry["digest"]),
            name.as_str().map(str::to_owned),
        )
    }

    /// The manifest and the config for a platform of the only index.
    fn image(&self, architecture: &str) -> (Value, Value) {
        let (index, _) = self.only();
        let mut entries = index["manifests"].as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["platform"]["architecture"] == architecture);
        let manifest = self.json(&entry.unwrap()["digest"]);
        let config = self.json(&manifest["config"]["digest"]);
        (manifest, config)
    }
}

/// The entries of a compressed layer: path, mode, and content.
fn entries(layer: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    GzDecoder::new(layer).read_to_end(&mut bytes).unwrap();
    let mut tar = tar::Archive::new(&*bytes);
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), SIGNED);
        let path = entry.path().unwrap().display().to_string();
        (path, header.mode().unwrap(), content)
    });
    entries.collect()
}

#[track_caller]
fn skopeo(environment: &Environment, arguments: &[&str]) -> Outcome {
    let program = Path::new("skopeo");
    let mut command = environment.command_for(program);
    command.arg("--insecure-policy").args(arguments);
    Outcome::of(command, b"").success()
}

#[test]
fn an_image_has_a_platform_for_each_linux_executable() {
    let environment = Environment::new();
    let file = archive(&environment);
    let arguments = ["export", text(&file), "oci-layout://image:1.2.3"];
    let outcome = par(&environment, arguments).success();
    let warning = "warning: left out aarch64-macos: container images are for Linux";
    assert!(outcome.stderr.contains(warning), "{outcome}");
    let layout = Layout(environment.path("image"));
    let (index, name) = layout.only();
    assert_eq!(name.as_deref(), Some("1.2.3"));
    let platforms = index["manifests"].as_array().unwrap().iter();
    let platforms: Vec<_> = platforms.map(|entry| entry["platform"].clone()).collect();
    assert_eq!(
        platforms,
        [
            json!({"os": "linux", "architecture": "amd64"}),
            json!({"os": "linux", "architecture": "riscv64"}),
        ]
    );
    let (issuer, subject) = publisher();
    for (architecture, content) in [
        ("amd64", fs::read("/bin/true").unwrap()),
        ("riscv64", riscv()),
    ] {
        let (manifest, config) = layout.image(architecture);
        let layer = layout.bytes(&manifest["layers"][0]["digest"]);
        let mut tar = Vec::new();
        GzDecoder::new(&*layer).read_to_end(&mut tar).unwrap();
        let diff_ids = json!([Digest::of(&tar).to_string()]);
        assert_eq!(config["rootfs"]["diff_ids"], diff_ids);
        assert_eq!(entries(&layer), [("provider".to_owned(), 0o555, content)]);
        let settings = &config["config"];
        assert_eq!(settings["Entrypoint"], json!(["/provider"]));
        assert_eq!(settings["User"], "65532:65532");
        assert_eq!(
            settings["Labels"],
            json!({
                "org.opencontainers.image.title": "Test Provider",
                "org.opencontainers.image.vendor": VENDOR,
                "org.opencontainers.image.version": "1.2.3",
                "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
                "com.wasmcloud.par.issuer": issuer.public_key(),
                "com.wasmcloud.par.subject": subject.public_key(),
                "com.wasmcloud.par.revision": "4",
            })
        );
    }
    let archive = &index["annotations"]["com.wasmcloud.par.archive"];
    assert_eq!(*archive, digest(&file));
}

#[test]
fn an_archive_gives_the_same_image_everywhere_and_skopeo_reads_it() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment);
    let reference = registry.reference("org/image:1");
    let export = |destination: &str| {
        let mut command = environment.command();
        command.args(["export", text(&file), destination, "-o", "json"]);
        command.args(["--path", "/opt/bin/run", "--label", "team=storage"]);
        Outcome::of(command, b"").success().json()
    };
    let first = export(&reference);
    let digest = first["digest"].as_str().unwrap().to_owned();
    for destination in [
        "oci-layout://image:1",
        "oci-layout://unnamed",
        "one.tar",
        "two.tar",
        "oci-archive://named.tar:1",
    ] {
        assert_eq!(export(destination)["digest"], *digest, "{destination}");
    }
    let again = export(&reference);
    assert_eq!(
        (&again["sent"], &again["digest"]),
        (&json!(0), &first["digest"])
    );
    let read = |name: &str| fs::read(environment.path(name)).unwrap();
    assert_eq!(read("one.tar"), read("two.tar"));
    assert_eq!(Layout(environment.path("unnamed")).only().1, None);
    // The archive comes from standard input.
    let mut command = environment.command();
    command.args(["export", "-", "piped.tar", "--path", "/opt/bin/run"]);
    command.args(["--label", "team=storage"]);
    Outcome::of(command, &fs::read(&file).unwrap()).success();
    assert_eq!(read("piped.tar"), read("one.tar"));

    let docker = format!("docker://{reference}");
    for (image, option) in [
        ("oci-archive:one.tar", "--tls-verify=true"),
        ("oci-archive:named.tar:1", "--tls-verify=true"),
        ("oci:image:1", "--tls-verify=true"),
        (&docker, "--tls-verify=false"),
    ] {
        let raw = skopeo(&environment, &["inspect", "--raw", option, image]);
        assert_eq!(Digest::of(raw.stdout.as_bytes()).to_string(), digest);
        let arguments = ["--override-arch", "riscv64", "inspect", option, image];
        let shown = skopeo(&environment, &arguments).json();
        assert_eq!(shown["Architecture"], "riscv64");
        assert_eq!(shown["Labels"]["team"], "storage");
    }
    // Skopeo checks each blob, and the layers against the config.
    let arguments = [
        "--override-arch",
        "amd64",
        "copy",
        "oci-archive:one.tar",
        "dir:out",
    ];
    skopeo(&environment, &arguments);
    let manifest: Value = serde_json::from_slice(&read("out/manifest.json")).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let layer = read(&format!("out/{}", layer.strip_prefix("sha256:").unwrap()));
    let paths = entries(&layer)
        .into_iter()
        .map(|(path, mode, _)| (path, mode));
    let expected = [("opt/", 0o755), ("opt/bin/", 0o755), ("opt/bin/run", 0o555)];
    assert_eq!(
        paths.collect::<Vec<_>>(),
        expected.map(|(path, mode)| (path.to_owned(), mode))
    );
}

#[test]
fn the_archive_is_the_subject_of_an_image_in_its_repository() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment);
    let reference = registry.reference("org/provider:1");
    let pushed = push(&environment, &reference, &file);
    let index = |image: &str| {
        par(&environment, ["export", &reference, image]).success();
        let docker = format!("docker://{image}");
        let arguments = ["inspect", "--raw", "--tls-verify=false", &docker];
        skopeo(&environment, &arguments).json()
    };
    let beside = index(&registry.reference("org/provider:1-image"));
    assert_eq!(beside["subject"]["digest"], *pushed);
    let elsewhere = index(&registry.reference("org/image:1"));
    assert_eq!(elsewhere["subject"], Value::Null);
    let archive = &elsewhere["annotations"]["com.wasmcloud.par.archive"];
    assert_eq!(*archive, *pushed);
}

#[test]
fn a_tag_moves_from_an_archive_to_an_image_only_with_the_option() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment);
    let reference = registry.reference("org/provider:1");
    let pushed = push(&environment, &reference, &file);
    let refused = par(&environment, ["export", &reference, &reference]).exit(7);
    assert!(refused.stderr.contains("--change-identity"), "{refused}");
    let resolved = par(&environment, ["resolve", &reference]).success();
    assert!(resolved.line().ends_with(&pushed), "{resolved}");

    let arguments = ["export", &reference, &reference, "--change-identity"];
    let moved = par(&environment, arguments).success();
    assert!(
        moved.stderr.contains(&format!("1: {pushed} -> ")),
        "{moved}"
    );
    // A tag may move from one image to another, unless `--if-absent` is given.
    let label = ["export", text(&file), &reference, "--label", "a=b"];
    let arguments = [
        label[0],
        label[1],
        label[2],
        label[3],
        label[4],
        "--if-absent",
    ];
    par(&environment, arguments).exit(7);
    par(&environment, label).success();
}

/// Writes a base image for amd64 and another architecture to the registry, and gives the digest of its layer.
fn base(environment: &Environment, reference: &str, other: &str) -> String {
    let blobs = "base/blobs/sha256";
    let put = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(bytes).to_string();
        let hex = digest.strip_prefix("sha256:").unwrap();
        environment.write(&format!("{blobs}/{hex}"), bytes);
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    tar.append_data(&mut header, "etc/base", &b"base"[..])
        .unwrap();
    let tar = tar.into_inner().unwrap();
    let layer = put(&tar, "application/vnd.docker.image.rootfs.diff.tar");
    let manifests = ["amd64", other].map(|architecture| {
        let config = json!({
            "os": "linux", "architecture": architecture,
            "config": {
                "Env": ["A=b"], "Cmd": ["/bin/sh"], "User": "root", "WorkingDir": "/etc",
                "Labels": {"kept": "yes", "org.opencontainers.image.title": "base"},
            },
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&tar).to_string()]},
            "history": [{"created_by": "base"}],
        });
        let config = put(
            config.to_string().as_bytes(),
            "application/vnd.docker.container.image.v1+json",
        );
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer],
        });
        let mut entry = put(manifest.to_string().as_bytes(), media_type);
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entry
    });
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let index = json!({"schemaVersion": 2, "mediaType": list, "manifests": manifests});
    let mut entry = put(index.to_string().as_bytes(), list);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
    let index = json!({"schemaVersion": 2, "manifests": [entry]});
    environment.write("base/index.json", index.to_string());
    environment.write("base/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    par(environment, ["copy", "oci-layout://base:1", reference]).success();
    layer["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_layers_of_a_base_are_below_and_are_not_sent_again() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment);
    let reference = registry.reference("base:1");
    let layer = base(&environment, &reference, "riscv64");
    let export = |destination: &str| {
        let arguments = ["export", text(&file), destination, "--base", &reference];
        par(&environment, arguments).success()
    };
    export("oci-layout://image:1");
    let layout = Layout(environment.path("image"));
    let (manifest, config) = layout.image("amd64");
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[0]["digest"], *layer);
    let media_type = "application/vnd.oci.image.layer.v1.tar";
    assert_eq!(layers[0]["mediaType"], media_type);
    assert_eq!(config["rootfs"]["diff_ids"][0], *layer);
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
    assert_eq!(config["history"].as_array().unwrap().len(), 2);
    let settings = &config["config"];
    assert_eq!(settings["Env"], json!(["A=b"]));
    assert_eq!(settings["WorkingDir"], "/etc");
    assert_eq!(settings["User"], "65532:65532");
    assert_eq!(settings["Cmd"], Value::Null);
    assert_eq!(settings["Labels"]["kept"], "yes");
    let title = &settings["Labels"]["org.opencontainers.image.title"];
    assert_eq!(title, "Test Provider");
    let annotations = &manifest["annotations"];
    assert_eq!(
        annotations["org.opencontainers.image.base.name"],
        *reference
    );

    // The repository of the base has the layer already, and another repository gets it by mounting.
    let uploads = |destination: &str| {
        let before = registry.requests().len();
        export(destination);
        let requests = registry.requests().split_off(before);
        let layer = layer.replace(':', "%3A");
        let count = |method: &str, part: &str| {
            let about = requests.iter().filter(|line| line.starts_with(method));
            about
                .filter(|line| line.contains(part) && line.contains(&layer))
                .count()
        };
        (count("PUT", "digest="), count("POST", "mount="))
    };
    assert_eq!(uploads(&registry.reference("base:image")), (0, 0));
    let (sent, mounted) = uploads(&registry.reference("org/image:1"));
    assert_eq!((sent, mounted.min(1)), (0, 1));
}

#[test]
fn a_base_without_a_platform_is_refused() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment);
    let reference = registry.reference("base:1");
    base(&environment, &reference, "s390x");
    let destination = registry.reference("org/image:1");
    let arguments = ["export", text(&file), &destination, "--base", &reference];
    let refused = par(&environment, arguments).exit(3);
    assert!(refused.stderr.contains("linux/riscv64"), "{refused}");
    par(&environment, ["resolve", &destination]).exit(3);
    let [export, file, destination, option, base] = arguments;
    let target = ["--target", "x86_64-linux"];
    let arguments = [
        export,
        file,
        destination,
        option,
        base,
        target[0],
        target[1],
    ];
    par(&environment, arguments).success();
    // An artifact that is not an image cannot be a base.
    let archive = registry.reference("org/provider:1");
    push(&environment, &archive, Path::new(file));
    let refused = par(&environment, [export, file, "image.tar", option, &archive]).exit(5);
    assert!(
        refused.stderr.contains("container image with --base"),
        "{refused}"
    );
    assert!(!environment.path("image.tar").exists());
}

#[test]
fn no_image_is_written_of_an_archive_that_is_refused() {
    let environment = Environment::new();
    let file = archive(&environment);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = environment.write("damaged.par.gz", bytes);
    let other = nkeys::KeyPair::new_account().public_key();
    for (arguments, code) in [
        (["export", text(&damaged), "image.tar", "--path", "/a"], 5),
        (["export", text(&file), "image.tar", "--issuer", &other], 5),
        (["export", text(&file), "image.tar", "--path", "/a/../b"], 2),
        (
            ["export", text(&file), "image.tar", "--path", "/a/.wh.b"],
            2,
        ),
        (
            [
                "export",
                text(&file),
                "image.tar",
                "--path",
                "/.wh..wh..opq/b",
            ],
            2,
        ),
        (
            [
                "export",
                text(&file),
                "image.tar",
                "--target",
                "aarch64-macos",
            ],
            3,
        ),
        (
            [
                "export",
                text(&file),
                "image.tar",
                "--target",
                "s390x-linux",
            ],
            3,
        ),
        (
            [
                "export",
                text(&file),
                "image.tar",
                "--label",
                "com.wasmcloud.par.issuer=A",
            ],
            2,
        ),
    ] {
        par(&environment, arguments).exit(code);
    }
    let files = environment.files();
    let left = files
        .iter()
        .filter(|file| file.contains("image") || file.starts_with("tmp/"));
    assert_eq!(left.count(), 0, "{files:?}");
}

#[test]
fn a_file_is_replaced_only_if_it_is_a_layout_and_never_with_the_option() {
    let environment = Environment::new();
    let file = archive(&environment);
    let export = |destination: &str, options: &[&str]| {
        let arguments = ["export", text(&file), destination];
        environment.par([&arguments[..], options].concat())
    };
    let read = |name: &str| fs::read(environment.path(name)).unwrap();
    export("image.tar", &["--if-absent"]).success();
    let first = read("image.tar");
    // The file has this image already.
    export("image.tar", &["--if-absent"]).success();
    let refused = export("image.tar", &["--if-absent", "--label", "a=b"]).exit(7);
    let said = "oci-archive://image.tar exists: it is sha256:";
    assert!(refused.stderr.contains(said), "{refused}");
    assert!(refused.stderr.contains("--if-absent"), "{refused}");
    assert_eq!(read("image.tar"), first);
    export("image.tar", &["--label", "a=b"]).success();
    assert_ne!(read("image.tar"), first);

    let notes = "These are notes, and no tar.".repeat(100);
    environment.write("notes.tar", &notes);
    for (destination, code, said) in [
        ("notes.tar", 7, "notes.tar exists, and is not replaced: "),
        ("oci-archive://notes.tar", 7, "hint: name another file"),
        ("oci-archive://notes.tar:1", 3, ""),
    ] {
        for options in [&["--if-absent"][..], &[]] {
            let refused = export(destination, options).exit(code);
            assert!(refused.stderr.contains(said), "{refused}");
            let said = "notes.tar is not an OCI image layout: it is not a tar";
            assert!(refused.stderr.contains(said), "{refused}");
        }
    }
    // The destination is checked before the archive.
    environment.write("damaged.par", &fs::read(&file).unwrap()[..4000]);
    let damaged = ["export", "damaged.par", "notes.tar"];
    environment.par(damaged).exit(7);
    assert_eq!(read("notes.tar"), notes.as_bytes());
    // Programs create an empty file to reserve its name.
    environment.write("empty.tar", "");
    export("empty.tar", &["--if-absent"]).success();
    assert_eq!(read("empty.tar"), first);
    let left = environment.files().into_iter();
    let left = left.filter(|file| file.starts_with("work/") && file.contains(".partial"));
    assert_eq!(left.count(), 0);
}
