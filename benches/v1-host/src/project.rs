//! The projects of `providers/`, and what builds them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::claims::Claims;

#[derive(Clone, Copy, PartialEq)]
pub enum Language {
    Rust,
    Go,
}

/// A copy of this package with its providers, so that builds leave nothing in the checkout.
pub struct Checkout {
    directory: PathBuf,
}

impl Checkout {
    pub fn copy(to: &Path) -> anyhow::Result<Self> {
        let directory = to.join("checkout");
        copy_directory(Path::new(env!("CARGO_MANIFEST_DIR")), &directory)?;
        Ok(Self { directory })
    }

    /// Returns a project of `providers/`. One in Rust gets the WIT package of the crate that it is built on.
    pub fn project(&self, name: &'static str, language: Language) -> anyhow::Result<Project> {
        let directory = self.directory.join("providers").join(name);
        if language == Language::Rust {
            let crate_of_provider = format!("wasmcloud-provider-{name}");
            let wit = package_directory(&directory, &crate_of_provider)?.join("wit");
            copy_directory(&wit, &directory.join("wit"))?;
        }
        Ok(Project {
            name,
            language,
            directory,
        })
    }
}

/// A provider that is built from source.
pub struct Project {
    pub name: &'static str,
    language: Language,
    directory: PathBuf,
}

impl Project {
    /// Builds with `par`, as a user does.
    pub fn build_with_par(
        &self,
        par: &Path,
        keys: &Keys,
        target: &Path,
    ) -> anyhow::Result<Archive> {
        let mut command = Command::new(par);
        command.args(["build", "-o", "json", "--directory"]);
        command.arg(&keys.directory);
        command
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", target);
        if self.language == Language::Rust {
            // With the features that the host has, the crates are those that were compiled for the host.
            command.args(["--", "--locked", "--package", env!("CARGO_PKG_NAME")]);
        }
        let answer = json(&mut command)?;
        self.archive(
            answer["file"].as_str().context("no file in the answer")?,
            "par",
        )
    }

    /// Builds with `wash`, with the keys that `par` takes.
    pub fn build_with_wash(
        &self,
        wash: &Path,
        keys: &Keys,
        target: &Path,
    ) -> anyhow::Result<Archive> {
        let mut command = Command::new(wash);
        command.args(["build", "--disable-keygen", "--keys-directory"]);
        command.arg(&keys.directory);
        // What `wash` prints before its answer is not JSON.
        command
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", target);
        run(&mut command)?;
        self.archive(&format!("build/{}.par.gz", self.name), "wash")
    }

    /// Gives the archive that was built the name of its builder, so that the next one does not replace it.
    fn archive(&self, built: &str, builder: &str) -> anyhow::Result<Archive> {
        let path = self
            .directory
            .join(format!("{}.{builder}.par.gz", self.name));
        fs::rename(self.directory.join(built), &path)?;
        Ok(Archive { path })
    }
}

/// The keys that both builders sign with: an account, and a service key with the name of each binary.
pub struct Keys {
    directory: PathBuf,
}

impl Keys {
    pub fn generate(par: &Path, directory: &Path, projects: &[Project]) -> anyhow::Result<Self> {
        let user = std::env::var("USER").unwrap_or_else(|_| "user".to_owned());
        let generate = |kind: &str, name: &str| {
            let mut command = Command::new(par);
            command.args(["keys", "gen", kind, name, "--directory"]);
            run(command.arg(directory))
        };
        generate("account", &user)?;
        for project in projects {
            generate("service", project.name)?;
        }
        Ok(Self {
            directory: directory.to_owned(),
        })
    }
}

/// A provider archive that was built.
pub struct Archive {
    path: PathBuf,
}

impl Archive {
    pub fn push(&self, par: &Path, reference: &str) -> anyhow::Result<()> {
        run(Command::new(par).arg("push").arg(reference).arg(&self.path))
    }

    /// Returns the executable for this machine.
    pub fn executable(&self, par: &Path) -> anyhow::Result<Vec<u8>> {
        let destination = self.path.with_extension("executable");
        let mut command = Command::new(par);
        command.arg("extract").arg(&self.path).arg("--destination");
        run(command.arg(&destination))?;
        Ok(fs::read(destination)?)
    }

    /// Returns the claims as they are signed. Their signature is not checked here.
    pub fn claims(&self) -> anyhow::Result<Claims> {
        Claims::decode(&self.entry("claims.jwt")?)
    }

    /// Returns the names of the entries, sorted.
    pub fn entries(&self) -> anyhow::Result<Vec<String>> {
        let listed = output(Command::new("tar").arg("-tzf").arg(&self.path))?;
        let mut entries: Vec<_> = String::from_utf8(listed)?
            .lines()
            .map(str::to_owned)
            .collect();
        entries.sort();
        Ok(entries)
    }

    pub fn entry(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new("tar");
        output(command.arg("-xzOf").arg(&self.path).arg(name))
    }
}

/// Returns the directory of a package that the crate in `directory` depends on.
fn package_directory(directory: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--locked"]);
    let metadata = json(command.current_dir(directory))?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let found = packages.iter().find(|found| found["name"] == package);
    let manifest = found.and_then(|found| found["manifest_path"].as_str());
    let manifest = manifest.with_context(|| format!("no dependency {package}"))?;
    Ok(Path::new(manifest)
        .parent()
        .context("a directory")?
        .to_owned())
}

/// Copies files and directories, without directories for compilers. Copies are writable, whatever the permissions of the originals are.
fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let destination = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &destination)?;
        } else {
            fs::write(&destination, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    output(command).map(drop)
}

fn json(command: &mut Command) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&output(command)?)?)
}

/// Runs a command, and returns its standard output. Its messages stay visible.
fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let result = command.stderr(Stdio::inherit()).output();
    let words: Vec<&OsStr> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .collect();
    let result = result.with_context(|| format!("cannot start {words:?}"))?;
    ensure!(
        result.status.success(),
        "{words:?} ended with {}",
        result.status
    );
    Ok(result.stdout)
}
