//! Copies archives, each with a signature, a bill of materials and a signature of that, between registries.
//!
//! `par copy`, `regctl` and `oras` run once for each archive. `par mirror` copies all of them in one process. `cosign` signs,
//! and verifies before and after.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::Options;
use crate::chain;
use crate::measure::{Run, measure, print_sides, words};
use crate::registry::Registry;

/// The size of the executable in each archive.
const EXECUTABLE: u64 = 1 << 20;

const SBOM: &str = "application/spdx+json";
const SIGNATURE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

#[derive(clap::Args)]
pub struct AttachedOptions {
    #[command(flatten)]
    options: Options,
    /// How many archives are copied
    #[arg(long, default_value_t = 50)]
    archives: usize,
}

pub fn run(AttachedOptions { options, archives }: &AttachedOptions) -> anyhow::Result<()> {
    let archives = *archives;
    let directory = tempfile::tempdir()?;
    let tools = Tools::find(options, directory.path())?;
    let source = Registry::start(&subdirectory(directory.path(), "source")?)?;
    let work = Work::make(&tools, &source, archives)?;
    println!(
        "  {archives} archives of {:.1} MB in all, with {} manifests",
        work.bytes as f64 / 1e6,
        work.manifests.len()
    );
    let references = (0..archives).map(|number| source.reference(&name(number)) + "\n");
    fs::write(tools.list(), references.collect::<String>())?;
    work.verify(&tools, |number| source.reference(&name(number)))?;
    for has_api in [false, true] {
        let title = if has_api {
            "with the referrers API (in memory)"
        } else {
            "without the referrers API (registry:2)"
        };
        println!(
            "\nto a registry {title}, {} runs of each in turn: median (min to max)",
            options.runs
        );
        compare(options, &tools, &work, &source, has_api)?;
    }
    println!(
        "\nthrough a layout to a registry:2, {} runs of each in turn: median (min to max)",
        options.runs
    );
    chain::compare(options, &tools, &work, &source)
}

/// A program that copies, with its way of copying.
#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Copy,
    Mirror,
    Regctl,
    Oras,
}

const SIDES: [(Side, &str); 4] = [
    (Side::Copy, "par copy, a process for each"),
    (Side::Mirror, "par mirror, one process"),
    (Side::Regctl, "regctl, with referrers and digest tags"),
    (Side::Oras, "oras, cp -r and cp of the signature's tag"),
];

/// Runs all sides in turn. Each one copies to a new registry, and then once more to the same registry, which has
/// everything.
fn compare(
    options: &Options,
    tools: &Tools,
    work: &Work,
    source: &Registry,
    has_api: bool,
) -> anyhow::Result<()> {
    let mut first: [Vec<Run>; SIDES.len()] = Default::default();
    let mut again: [Vec<Run>; SIDES.len()] = Default::default();
    for _ in 0..options.runs {
        for (index, (side, name)) in SIDES.into_iter().enumerate() {
            let directory = tempfile::tempdir()?;
            let destination = if has_api {
                Registry::start_with_api(&tools.directory.join("api-registry"))?
            } else {
                Registry::start(directory.path())?
            };
            let command = tools.command(side, (source, &destination), work);
            let cold = measure(&command).with_context(|| name.to_owned())?;
            work.check(side, source, &destination)?;
            let warm = measure(&command).with_context(|| name.to_owned())?;
            first[index].push(cold);
            again[index].push(warm);
        }
    }
    let names = SIDES.map(|(_, name)| name);
    for (what, runs) in [("copied", &first), ("everything is there", &again)] {
        print_sides(what, &names, runs, &[(0, 2), (0, 3), (1, 2), (1, 3)]);
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("bench/a{number}:1")
}

fn subdirectory(directory: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = directory.join(name);
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// The programs, and the directory for their settings.
pub struct Tools {
    par: PathBuf,
    /// The directory with `regctl`, `oras`, `api-registry` and `cosign`.
    directory: PathBuf,
    /// The directory with settings and the cache. It replaces the home directory, so that no credentials of the user
    /// are read.
    home: PathBuf,
}

impl Tools {
    /// Finds the programs that `scripts/test` builds. `PAR_TEST_TOOLS` names another directory.
    fn find(options: &Options, home: &Path) -> anyhow::Result<Self> {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-tools");
        let named = std::env::var_os("PAR_TEST_TOOLS");
        let directory = named.map_or(PathBuf::from(built), PathBuf::from);
        for name in ["regctl", "oras", "api-registry", "cosign"] {
            ensure!(
                directory.join(name).is_file(),
                "no {name} in {}: scripts/test builds all but cosign, and `go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3` \
                 with GOBIN builds that",
                directory.display()
            );
        }
        Ok(Self {
            par: options.par()?,
            directory,
            home: home.to_owned(),
        })
    }

    /// Returns the command that copies all archives.
    fn command(
        &self,
        side: Side,
        (from, to): (&Registry, &Registry),
        work: &Work,
    ) -> Vec<OsString> {
        let par = self.par();
        let tools = self.directory.display();
        let (from, to) = (from.address(), to.address());
        let source = format!("{from}/bench/a$n:1");
        let destination = format!("{to}/bench/a$n:1");
        let one = match side {
            Side::Mirror => {
                return self.shell(&format!("{par} mirror {} {to}", self.list()));
            }
            Side::Copy => format!("{par} copy --quiet {source} {destination}"),
            // Without this option, regctl tries TLS first.
            Side::Regctl => format!(
                "{tools}/regctl --host reg={from},tls=disabled --host reg={to},tls=disabled \
                 image copy --referrers --digest-tags {source} {destination}"
            ),
            // `oras` does not know the tags of signatures, so their users copy them, too.
            Side::Oras => {
                let oras = format!("{tools}/oras cp --no-tty --from-plain-http --to-plain-http");
                let tag = self.signature_tag();
                format!(
                    "{oras} -r {source} {destination}; \
                     {oras} {from}/bench/a$n:{tag} {to}/bench/a$n:{tag}"
                )
            }
        };
        self.for_each(work, &one)
    }

    /// Returns the command that runs `one` for each archive, whose number is `$n`.
    pub fn for_each(&self, work: &Work, one: &str) -> Vec<OsString> {
        let archives = work.archives;
        self.shell(&format!(
            "n=0; while [ $n -lt {archives} ]; do {{ {one}; }} 2>/dev/null; n=$((n+1)); done"
        ))
    }

    /// Returns the path of the command `par`.
    pub fn par(&self) -> String {
        self.par.display().to_string()
    }

    /// Returns the path of a program of another project.
    pub fn program(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Returns the path of the file with the references of all archives.
    pub fn list(&self) -> String {
        self.home.join("list").display().to_string()
    }

    /// The tag of the signature of the archive with the number `$n`, in a script.
    pub fn signature_tag(&self) -> String {
        format!("$(sed -n $((n+1))p {})", self.signature_tags().display())
    }

    /// The file with the tags of all signatures, one a line.
    fn signature_tags(&self) -> PathBuf {
        self.home.join("tags")
    }

    /// Runs `cosign` with a pair of keys of its own, and without a transparency log.
    fn cosign(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(self.directory.join("cosign"))
            .args(arguments)
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("COSIGN_PASSWORD", "")
            .output()?;
        ensure!(
            output.status.success(),
            "cosign {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    pub fn shell(&self, script: &str) -> Vec<OsString> {
        let home = format!("HOME={}", self.home.display());
        let cache = format!("XDG_CACHE_HOME={}/cache", self.home.display());
        let script = format!("set -e; {script}");
        words(&[&"env", &home, &cache, &"sh", &"-c", &script])
    }

    /// Runs `par`, and returns the digest in its answer.
    fn digest(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let answer = self.answer(arguments)?;
        let digest = answer["digest"].as_str();
        Ok(digest
            .with_context(|| format!("no digest: {answer}"))?
            .to_owned())
    }

    /// Runs `par`, and returns its answer.
    fn answer(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(&self.par)
            .args(arguments)
            .args(["-o", "json"])
            .env("HOME", &self.home)
            .env("XDG_CACHE_HOME", self.home.join("cache"))
            .output()?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// A manifest of the source.
struct Stored {
    repository: String,
    /// The digest of the manifest, or the tag of a signature.
    name: String,
    /// The digest of the manifest that has this one as a referrer.
    subject: Option<String>,
}

/// The archives to copy, and the manifests that belong to them.
pub struct Work {
    archives: usize,
    manifests: Vec<Stored>,
    bytes: u64,
}

impl Work {
    fn make(tools: &Tools, source: &Registry, archives: usize) -> anyhow::Result<Self> {
        let file = |name: &str| tools.home.join(name).display().to_string();
        let (executable, archive, text) = (file("executable"), file("made.par"), file("text"));
        let mut work = Self {
            archives,
            manifests: Vec::new(),
            bytes: 0,
        };
        tools.cosign(&["generate-key-pair"])?;
        let mut tags = String::new();
        for number in 0..archives {
            let mut noise = File::open("/dev/urandom")?.take(EXECUTABLE);
            io::copy(&mut noise, &mut File::create(&executable)?)?;
            let binary = format!("x86_64-linux={executable}");
            let mut create = vec!["create", "--keygen", "--destination", &archive];
            let keys = file("keys");
            create.extend([
                "-n", "Provider", "-v", "Example", "-d", &keys, "-b", &binary,
            ]);
            tools.answer(&create)?;
            work.bytes += fs::metadata(&archive)?.len();
            let place = source.reference(&name(number));
            let repository = source.reference(&format!("bench/a{number}"));
            let archive = tools.digest(&["push", &place, &archive])?;
            fs::write(&text, format!("{{\"bill\": {number}}}"))?;
            let bill = tools.digest(&["attach", &place, &text, "--type", SBOM])?;
            let pinned = format!("{repository}@{bill}");
            fs::write(&text, format!("{{\"signature\": {number}}}"))?;
            let nested = tools.digest(&["attach", &pinned, &text, "--type", SIGNATURE])?;
            // The signature is under a tag, in the older form of cosign.
            let signature = archive.replace(':', "-") + ".sig";
            tags.extend([&signature, "\n"]);
            let sign = [
                "sign",
                "--key",
                "cosign.key",
                "--tlog-upload=false",
                "--yes",
            ];
            let signed = format!("{repository}@{archive}");
            let older = ["--use-signing-config=false", "--new-bundle-format=false"];
            let place = ["--allow-http-registry", &signed];
            tools.cosign(&[&sign[..], &older, &place].concat())?;
            for (name, subject) in [
                (archive.clone(), None),
                (bill.clone(), Some(archive)),
                (nested, Some(bill)),
                (signature, None),
            ] {
                work.manifests.push(Stored {
                    repository: format!("bench/a{number}"),
                    name,
                    subject,
                });
            }
        }
        fs::write(tools.signature_tags(), tags)?;
        Ok(work)
    }

    /// Lets `cosign` verify the signature of each archive, at the place that `reference` gives.
    pub fn verify(&self, tools: &Tools, reference: impl Fn(usize) -> String) -> anyhow::Result<()> {
        for number in 0..self.archives {
            let verify = ["verify", "--key", "cosign.pub", "--insecure-ignore-tlog"];
            let place = ["--allow-http-registry", &reference(number)];
            tools.cosign(&[&verify[..], &place].concat())?;
        }
        Ok(())
    }

    /// Returns the name of an archive in the mirror of `source`.
    pub fn mirrored(&self, source: &Registry, mirror: &Registry, number: usize) -> String {
        let source = source.address().replace(':', "__");
        mirror.reference(&format!("{source}/{}", name(number)))
    }

    /// Makes sure that each manifest is at the destination, and that it is listed as a referrer.
    pub fn check(&self, side: Side, source: &Registry, to: &Registry) -> anyhow::Result<()> {
        for stored in &self.manifests {
            let name = &stored.repository;
            let repository = if side == Side::Mirror {
                to.url(&format!("{}/{name}", source.address().replace(':', "__")))
            } else {
                to.url(name)
            };
            let manifest = format!("{repository}/manifests/{}", stored.name);
            ensure!(get(&manifest)?.is_some(), "{manifest} is missing");
            if let Some(subject) = &stored.subject {
                let list = match get(&format!("{repository}/referrers/{subject}"))? {
                    None => get(&format!(
                        "{repository}/manifests/{}",
                        subject.replace(':', "-")
                    ))?,
                    list => list,
                };
                let is_listed = list.is_some_and(|list| list.contains(&stored.name));
                ensure!(is_listed, "{manifest} is not listed");
            }
        }
        Ok(())
    }
}

/// Returns the answer of a registry, or `None` if it is an error.
fn get(url: &str) -> anyhow::Result<Option<String>> {
    let manifest = "Accept: application/vnd.oci.image.manifest.v1+json";
    let index = "Accept: application/vnd.oci.image.index.v1+json";
    let mut command = Command::new("curl");
    let output = command
        .args(["-sf", "-H", manifest, "-H", index, url])
        .output()?;
    Ok(output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}
