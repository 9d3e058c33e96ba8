//! OCI image layouts in files in place of a registry: `oci-archive://FILE.tar`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{pack_noise, par, push, small, text};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, ended, shared_registry, unique};

const REFERENCE: &str = "oci-archive://layout.tar:1.0.0";

/// The names and the content of all files in the tar.
fn entries(environment: &Environment, name: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(environment.path(name)).unwrap();
    let mut tar = tar::Archive::new(&*bytes);
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), 0);
        (entry.path().unwrap().display().to_string(), content)
    });
    entries.collect()
}

#[track_caller]
fn run(environment: &Environment, program: &str, arguments: &[&str]) -> Outcome {
    let mut command = environment.command_for(Path::new(program));
    command.args(arguments);
    Outcome::of(command, b"").success()
}

/// The files in the current directory of the commands.
fn here(environment: &Environment) -> Vec<String> {
    let files = environment.files().into_iter();
    let here = files.filter_map(|file| file.strip_prefix("work/").map(str::to_owned));
    here.filter(|file| file.contains(".tar")).collect()
}

#[test]
fn a_push_to_a_file_writes_a_layout() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let digest = push(&environment, REFERENCE, &file);
    let names: Vec<_> = entries(&environment, "layout.tar").into_iter().collect();
    let blobs = names
        .iter()
        .filter(|(name, _)| name.len() > "blobs/sha256/".len());
    assert_eq!(blobs.count(), 3, "the archive, its config and its manifest");
    let order: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(order[..2], ["blobs", "blobs/sha256"]);
    assert_eq!(order[order.len() - 2..], ["index.json", "oci-layout"]);
    let index: Value = serde_json::from_slice(&names[names.len() - 2].1).unwrap();
    assert_eq!(index["manifests"][0]["digest"], *digest);
    assert_eq!(here(&environment), ["layout.tar"]);
    // The unpacked file is a layout.
    run(&environment, "mkdir", &["unpacked"]);
    run(
        &environment,
        "tar",
        &["-xf", "layout.tar", "-C", "unpacked"],
    );
    let resolved = par(&environment, ["resolve", "oci-layout://unpacked:1.0.0"]).success();
    assert!(resolved.stdout.contains(&digest), "{resolved}");
}

#[test]
fn every_command_that_takes_a_layout_takes_a_file() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let digest = push(&environment, REFERENCE, &file);
    let pinned = format!("oci-archive://layout.tar@{digest}");
    for reference in [REFERENCE, "oci-archive://layout.tar", &pinned] {
        let resolved = par(&environment, ["resolve", reference]).success();
        assert_eq!(resolved.line(), pinned);
        for command in ["inspect", "verify", "extract"] {
            let mut line = environment.command();
            line.args([command, reference]);
            if command == "extract" {
                line.args(["--target", "x86_64-linux", "--destination", "executable"]);
            }
            Outcome::of(line, b"").success();
        }
        let bill = par(&environment, ["sbom", reference]).exit(3);
        assert!(bill.stderr.contains("says which packages"), "{bill}");
        let pulled = ["pull", reference, "--destination", "pulled.par"];
        par(&environment, pulled).success();
        assert_eq!(
            fs::read(environment.path("pulled.par")).unwrap(),
            fs::read(&file).unwrap()
        );
        let fetch = ["fetch", reference, "--target", "x86_64-linux"];
        par(&environment, fetch).success();
        par(&environment, ["diff", text(&file), reference]).success();
    }
    par(&environment, ["tag", REFERENCE, "1.0"]).success();
    let tags = par(&environment, ["tags", "oci-archive://layout.tar"]).success();
    assert_eq!(tags.stdout, "1.0\n1.0.0\n");
    par(&environment, ["tags", "oci-archive://layout.tar", "--long"]).success();
    let delete = ["delete", "--tag", "oci-archive://layout.tar:1.0", "--force"];
    par(&environment, delete).success();
    let tags = par(&environment, ["tags", "oci-archive://layout.tar"]).success();
    assert_eq!(tags.stdout, "1.0.0\n");
    let refused = par(&environment, ["delete", REFERENCE, "--force"]).exit(2);
    assert!(refused.stderr.contains("in an image layout"), "{refused}");
    environment.write("deployment.txt", REFERENCE);
    par(&environment, ["lock", "deployment.txt"]).success();
    let listed = par(&environment, ["cache", "list"]).success();
    assert!(listed.stdout.contains("oci-archive://"), "{listed}");
    par(&environment, ["pull", "oci-archive://layout.tar:2"]).exit(3);
    par(&environment, ["pull", "oci-archive://none.tar:1"]).exit(3);
    assert_eq!(here(&environment), ["layout.tar"]);
}

#[test]
fn verifying_a_damaged_layout_fails_although_the_cache_has_the_archive() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, REFERENCE, &file);
    environment.par(["verify", REFERENCE]).success();
    environment.par(["fetch", REFERENCE]).success();
    let layout = environment.path("layout.tar");
    let (mut bytes, archive) = (fs::read(&layout).unwrap(), fs::read(&file).unwrap());
    let at = bytes
        .windows(archive.len())
        .position(|window| window == archive);
    bytes[at.unwrap() + archive.len() / 2] ^= 1;
    fs::write(&layout, bytes).unwrap();
    environment.par(["verify", REFERENCE]).exit(5);
}

#[test]
fn copies_go_both_ways_and_send_nothing_twice() {
    let environment = Environment::new();
    let registry = format!("{}/{}", shared_registry(), unique("archived"));
    let file = pack_noise(&environment, "provider.par.gz", 1 << 20);
    let first = format!("{registry}:1");
    let digest = push(&environment, &first, &file);
    let copy = |from: &str, to: &str| {
        let copied = par(&environment, ["copy", from, to]).success();
        assert!(copied.stdout.contains(&digest), "{copied}");
    };
    copy(&first, "oci-archive://one.tar:1");
    copy("oci-archive://one.tar:1", "oci-archive://one.tar:2");
    copy("oci-archive://one.tar:2", "oci-layout://layout:1");
    copy("oci-layout://layout:1", "oci-archive://other:1");
    let back = format!("{registry}-back:1");
    copy("oci-archive://other:1", &back);
    par(&environment, ["verify", &back]).success();
    let modified = || {
        fs::metadata(environment.path("one.tar"))
            .unwrap()
            .modified()
    };
    let before = modified().unwrap();
    copy(&first, "oci-archive://one.tar:2");
    assert_eq!(modified().unwrap(), before);
    // A name of an archive of another publisher is not moved.
    let other = ArchiveBuilder::two_targets().build();
    let other = environment.write("other.par", other);
    let conflict = ["push", "oci-archive://one.tar:1", text(&other)];
    par(&environment, conflict).exit(7);
    par(
        &environment,
        ["push", "oci-archive://one.tar:3", text(&other)],
    )
    .success();
    let tags = par(&environment, ["tags", "oci-archive://one.tar"]).success();
    assert_eq!(tags.stdout, "1\n2\n3\n");
    assert_eq!(here(&environment), ["one.tar"]);
}

#[test]
fn skopeo_reads_the_file_and_the_file_of_skopeo_is_read() {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par.gz", 1000);
    let export = ["export", text(&file), "oci-archive://image.tar:1.0"];
    par(&environment, export).success();
    let export = [
        "export",
        text(&file),
        "oci-archive://image.tar:ghcr.io/org/x:2.0",
    ];
    let mut command = environment.command();
    command.args(export).args(["--path", "/other"]);
    Outcome::of(command, b"").success();
    let skopeo = |arguments: &[&str]| {
        let arguments = [&["--insecure-policy"], arguments].concat();
        run(&environment, "skopeo", &arguments)
    };
    for name in ["1.0", "ghcr.io/org/x:2.0"] {
        let place = format!("oci-archive:image.tar:{name}");
        skopeo(&["inspect", &place]);
        skopeo(&["copy", "--all", &place, "oci-archive:theirs.tar:1.0"]);
        let ours = format!("oci-archive://image.tar:{name}");
        let ours = par(&environment, ["resolve", &ours]).success();
        let theirs = par(&environment, ["resolve", "oci-archive://theirs.tar:1.0"]).success();
        let digest = |outcome: &Outcome| outcome.line().split_once('@').unwrap().1.to_owned();
        assert_eq!(digest(&ours), digest(&theirs));
        let copied = [
            "copy",
            "oci-archive://theirs.tar:1.0",
            "oci-layout://copied:1",
        ];
        par(&environment, copied).success();
        fs::remove_file(environment.path("theirs.tar")).unwrap();
    }
    // Another image is added to a file that skopeo has written, and skopeo reads both.
    skopeo(&[
        "copy",
        "--all",
        "oci-archive:image.tar:1.0",
        "oci-archive:theirs.tar:old",
    ]);
    let add = [
        "copy",
        "oci-archive://image.tar:1.0",
        "oci-archive://theirs.tar:new",
    ];
    par(&environment, add).success();
    for name in ["old", "new"] {
        skopeo(&["inspect", &format!("oci-archive:theirs.tar:{name}")]);
    }
}

#[test]
fn a_tar_by_other_tools_is_read_and_its_other_files_are_kept() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, "oci-layout://layout:1", &file);
    environment.write("layout/manifest.json", "[]");
    for (name, options) in [
        ("gnu.tar", &["--format=gnu"][..]),
        ("pax.tar", &["--format=pax"]),
        ("v7.tar", &["--format=v7"]),
        (
            "reversed.tar",
            &["--format=ustar", "--sort=name", "--transform=s,^./,,"],
        ),
    ] {
        let arguments = [options, &["-C", "layout", "-cf", name, "."]].concat();
        run(&environment, "tar", &arguments);
        let reference = format!("oci-archive://{name}:1");
        par(&environment, ["verify", &reference]).success();
        par(&environment, ["tag", &reference, "2"]).success();
        par(&environment, ["verify", &format!("oci-archive://{name}:2")]).success();
        let entries = entries(&environment, name);
        let kept = entries.iter().find(|(name, _)| name == "manifest.json");
        assert_eq!(kept.unwrap().1, b"[]");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_and_not_changed() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, REFERENCE, &file);
    let good = fs::read(environment.path("layout.tar")).unwrap();
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    compressed.write_all(&good).unwrap();
    environment.write("compressed.tar", compressed.finish().unwrap());
    environment.write("cut.tar", &good[..good.len() - 2000]);
    environment.write("text.tar", "no tar".repeat(1000));
    let other = |write: &dyn Fn(&mut Builder<Vec<u8>>)| {
        let mut tar = Builder::new(Vec::new());
        write(&mut tar);
        tar.into_inner().unwrap()
    };
    let add = |tar: &mut Builder<Vec<u8>>, name: &str, content: &str| {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content.as_bytes())
            .unwrap();
    };
    environment.write("none.tar", other(&|tar| add(tar, "a", "b")));
    let linked = other(&|tar| {
        add(tar, "oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "index.json", "/etc/passwd")
            .unwrap();
    });
    environment.write("linked.tar", linked);
    fs::create_dir(environment.path("directory.tar")).unwrap();
    for (name, code, expected) in [
        ("compressed.tar", 3, "it is compressed with gzip"),
        ("cut.tar", 5, "it is cut"),
        ("text.tar", 3, "it is not a tar"),
        ("none.tar", 3, "it has no `oci-layout` file"),
        ("linked.tar", 5, "`index.json` is not a regular file"),
        ("directory.tar", 3, "it is a directory, not a file"),
    ] {
        let before = fs::read(environment.path(name)).ok();
        let reference = format!("oci-archive://{name}:1");
        for arguments in [
            ["pull", &reference, "--destination", "pulled.par"],
            ["copy", REFERENCE, &reference, "--quiet"],
        ] {
            let refused = par(&environment, arguments).exit(code);
            assert!(refused.stderr.contains(expected), "{refused}");
        }
        assert_eq!(fs::read(environment.path(name)).ok(), before);
    }
    let compressed = par(&environment, ["tags", "oci-archive://compressed.tar"]).exit(3);
    assert!(
        compressed.stderr.contains("hint: decompress it"),
        "{compressed}"
    );
    // The content of a blob is verified.
    let content = fs::read(&file).unwrap();
    let mut windows = good.windows(512);
    let start = windows.position(|window| window == &content[..512]);
    let mut damaged = good.clone();
    damaged[start.unwrap() + 600] ^= 1;
    environment.write("damaged.tar", damaged);
    let destination = [
        "pull",
        "oci-archive://damaged.tar:1.0.0",
        "--destination",
        "pulled.par",
    ];
    par(&environment, destination).exit(5);
    assert!(!environment.path("pulled.par").exists());
    // The error names a missing directory, and the file as the user has written it.
    let nowhere = par(
        &environment,
        ["copy", REFERENCE, "oci-archive://no/where.tar:1"],
    )
    .exit(3);
    for said in [
        "cannot use no/where.tar: there is no directory no\n",
        "hint: create the directory",
    ] {
        assert!(nowhere.stderr.contains(said), "{nowhere}");
    }
}

#[test]
fn commands_that_write_one_file_at_once_lose_nothing() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let mut children: Vec<(Child, String)> = (0..6)
        .map(|number| {
            let tag = format!("t{number}");
            let mut command: Command = environment.command();
            command.args([
                "push",
                &format!("oci-archive://shared.tar:{tag}"),
                text(&file),
            ]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            (command.spawn().unwrap(), tag)
        })
        .collect();
    // Reading succeeds whenever there is a file, also while another one replaces it.
    let is_running = |(child, _): &mut (Child, String)| child.try_wait().unwrap().is_none();
    while children.iter_mut().any(is_running) {
        if environment.path("shared.tar").exists() {
            par(&environment, ["tags", "oci-archive://shared.tar"]).success();
        }
    }
    let mut expected = String::new();
    for (child, tag) in children {
        let output = ended(child);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tag}: {said}");
        expected += &format!("{tag}\n");
    }
    let tags = par(&environment, ["tags", "oci-archive://shared.tar"]).success();
    assert_eq!(tags.stdout, expected);
    assert_eq!(here(&environment), ["shared.tar"]);
}

/// Starts `par copy` into `one.tar`, and kills it once it has stored the layer and before the file is complete.
#[cfg(unix)]
fn kill_midway(environment: &Environment, layer: &Path) {
    let file = environment.path("one.tar");
    for _ in 0..20 {
        let mut command: Command = environment.command();
        command.args(["copy", "oci-layout://layout:1", "oci-archive://one.tar:1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while !layer.exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if !file.exists() {
            return;
        }
        fs::remove_file(&file).unwrap();
    }
    panic!("the copy was always faster");
}

#[cfg(unix)]
#[test]
fn a_killed_copy_is_continued_and_its_leftovers_are_verified() {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par.gz", 32 << 20);
    let digest = push(&environment, "oci-layout://layout:1", &file);
    let path = |digest: &str| format!("layout/blobs/{}", digest.replace(':', "/"));
    let manifest = fs::read(environment.path(&path(&digest))).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = path(manifest["layers"][0]["digest"].as_str().unwrap());
    let left = environment.path(&format!("one.tar.partial/{layer}"));
    kill_midway(&environment, &left);
    let copy = [
        "copy",
        "oci-layout://layout:1",
        "oci-archive://one.tar:1",
        "-o",
        "json",
    ];
    // Damage in the leftovers is noticed.
    let mut bytes = fs::read(&left).unwrap();
    bytes[100] ^= 1;
    fs::write(&left, bytes).unwrap();
    let copied = par(&environment, copy).success().json();
    assert_eq!(copied["digest"], json!(digest));
    let warnings = copied["warnings"].to_string();
    assert!(warnings.contains("one.tar.partial"), "{warnings}");
    par(&environment, ["verify", "oci-archive://one.tar:1"]).success();
    assert_eq!(here(&environment), ["one.tar"]);
}
