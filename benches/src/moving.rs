//! Copies one large blob between a directory and a real registry on this machine. Every byte is hashed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::Options;
use crate::measure::{Side, compare, forget, measure, words};
use crate::registry::Registry;

const MB: u64 = 1_000_000;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let directory = tempfile::tempdir()?;
    let registry = Registry::start(directory.path())?;
    let blob = Blob::make(&directory.path().join("noise"), 300 * MB)?;
    let hash = fastest_hash(&blob.path)?;
    let curl = format!("curl + {hash}");

    // Each run has its own repository. Otherwise the second run would find the blob there.
    let there = |side: &str, run: usize| registry.reference(&format!("bench/{side}-{run}:1"));
    let here = |name: &str| directory.path().join(name);
    let copy = |from: &str, to: &str| words(&[&par, &"copy", &from, &to]);
    compare(
        "300 MB from an image layout to a registry",
        options.runs,
        Side {
            name: "par copy",
            command: Box::new(|run| Ok(copy(&layout(&blob.layout), &there("ours", run)))),
        },
        Side {
            name: &curl,
            command: Box::new(|run| {
                Ok(shell(format!(
                    "{hash} {file} && place=$(curl -sf -X POST -D - {base}/blobs/uploads/ \
                        | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p') \
                     && curl -sf -T {file} \"$place&digest={digest}\"",
                    file = blob.path.display(),
                    base = registry.url(&format!("bench/theirs-{run}")),
                    digest = blob.digest,
                )))
            }),
        },
    )?;
    let source = there("ours", 0);
    let (ours, theirs) = (here("ours"), here("theirs"));
    compare(
        "300 MB from a registry to an image layout",
        options.runs,
        Side {
            name: "par copy",
            command: Box::new(|_| {
                forget(&ours)?;
                Ok(copy(&source, &layout(&ours)))
            }),
        },
        Side {
            name: &curl,
            command: Box::new(|_| {
                Ok(shell(format!(
                    "curl -sf -o {file} {base}/blobs/{digest} && {hash} {file}",
                    file = theirs.display(),
                    base = registry.url("bench/ours-0"),
                    digest = blob.digest,
                )))
            }),
        },
    )?;
    if Command::new("skopeo").arg("--version").output().is_ok() {
        let directory = here("skopeo");
        let layout = |directory: &Path| format!("oci:{}:1", directory.display());
        let docker = |reference: &str| format!("docker://{reference}");
        let plain = "--dest-tls-verify=false";
        println!("\nskopeo copy of the same, {} runs of each", options.runs);
        for run in 0..options.runs {
            let up = [layout(&blob.layout), docker(&there("skopeo", run))];
            let run = measure(&words(&[&"skopeo", &"copy", &plain, &up[0], &up[1]]))?;
            println!(
                "  {:<44} {:.2} s   peak {:.0} MiB",
                "to a registry", run.seconds, run.peak_mib
            );
            forget(&directory)?;
            let down = [docker(&source), layout(&directory)];
            let plain = "--src-tls-verify=false";
            let run = measure(&words(&[&"skopeo", &"copy", &plain, &down[0], &down[1]]))?;
            println!(
                "  {:<44} {:.2} s   peak {:.0} MiB",
                "to an image layout", run.seconds, run.peak_mib
            );
        }
    } else {
        println!("\nno skopeo beside: it is not installed (a package of Debian)");
    }

    println!("\n2 GB, one run of each");
    let large = Blob::make(&here("large"), 2000 * MB)?;
    let back = here("back");
    for (name, from, to) in [
        (
            "par copy to a registry",
            layout(&large.layout),
            there("large", 0),
        ),
        (
            "par copy to an image layout",
            there("large", 0),
            layout(&back),
        ),
    ] {
        let run = measure(&copy(&from, &to))?;
        println!(
            "  {name:<44} {:.2} s   peak {:.0} MiB",
            run.seconds, run.peak_mib
        );
    }
    Ok(())
}

fn layout(directory: &Path) -> String {
    format!("oci-layout://{}:1", directory.display())
}

fn shell(script: String) -> Vec<OsString> {
    words(&[&"sh", &"-c", &script])
}

/// An image layout whose tag `1` has one layer of random bytes.
pub struct Blob {
    layout: PathBuf,
    path: PathBuf,
    digest: String,
}

impl Blob {
    pub fn make(layout: &Path, size: u64) -> anyhow::Result<Self> {
        let blobs = layout.join("blobs/sha256");
        fs::create_dir_all(&blobs)?;
        let unnamed = layout.join("noise");
        let mut noise = File::open("/dev/urandom")?.take(size);
        io::copy(&mut noise, &mut File::create(&unnamed)?)?;
        let name = |file: &Path| -> anyhow::Result<(PathBuf, String)> {
            let hex = sha256(file)?;
            let path = blobs.join(&hex);
            fs::rename(file, &path)?;
            Ok((path, format!("sha256:{hex}")))
        };
        let (path, digest) = name(&unnamed)?;
        let keep = |text: &str| -> anyhow::Result<serde_json::Value> {
            fs::write(&unnamed, text)?;
            let (_, digest) = name(&unnamed)?;
            Ok(json!({ "digest": digest, "size": text.len() }))
        };
        let mut config = keep("{}")?;
        config["mediaType"] = "application/vnd.oci.empty.v1+json".into();
        let layer =
            json!({ "mediaType": "application/octet-stream", "digest": digest, "size": size });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.example.noise",
            "config": config,
            "layers": [layer],
        });
        let mut entry = keep(&manifest.to_string())?;
        entry["mediaType"] = MANIFEST.into();
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        fs::write(layout.join("index.json"), index.to_string())?;
        fs::write(
            layout.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )?;
        Ok(Self {
            layout: layout.to_owned(),
            path,
            digest,
        })
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn sha256(file: &Path) -> anyhow::Result<String> {
    let output = Command::new("sha256sum").arg(file).output()?;
    ensure!(output.status.success(), "sha256sum failed");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split(' ').next().context("no digest")?.to_owned())
}

/// The fastest command that hashes a file.
fn fastest_hash(file: &Path) -> anyhow::Result<&'static str> {
    let mut fastest = None;
    for hash in ["sha256sum", "openssl dgst -sha256"] {
        let mut command: Vec<OsString> = hash.split(' ').map(Into::into).collect();
        command.push(file.into());
        // The first run reads the file into the page cache.
        let seconds = measure(&command).and_then(|_| Ok(measure(&command)?.seconds));
        if let Ok(seconds) = seconds {
            println!("  {hash:<44} {seconds:.2} s");
            if fastest.is_none_or(|(_, least)| seconds < least) {
                fastest = Some((hash, seconds));
            }
        }
    }
    Ok(fastest.context("neither sha256sum nor openssl")?.0)
}
