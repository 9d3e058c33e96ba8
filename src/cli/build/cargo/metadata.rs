//! The packages and binaries of a workspace, from `cargo metadata`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cli::output::{Failure, path_text};
use crate::content::ErrorKind;

/// A workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    #[serde(default)]
    workspace_default_members: Vec<String>,
    /// The directory that executables are written to.
    pub(super) target_directory: PathBuf,
    pub(super) workspace_root: PathBuf,
}

/// A crate.
#[derive(Debug, Clone, Deserialize)]
pub(in super::super) struct Package {
    pub(in super::super) name: String,
    pub(in super::super) version: String,
    pub(super) id: String,
    manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
}

/// Something that cargo builds: a library, a binary, a test.
#[derive(Debug, Clone, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A binary, and the crate that it is in.
#[derive(Debug)]
pub(in super::super) struct Binary {
    pub(in super::super) name: String,
    pub(in super::super) package: Package,
}

impl Package {
    fn binaries(&self) -> impl Iterator<Item = &str> {
        let is_binary = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        let binaries = self.targets.iter().filter(is_binary);
        binaries.map(|target| target.name.as_str())
    }
}

impl Metadata {
    /// Reads the output of `cargo metadata --no-deps`.
    pub(super) fn read(answer: &[u8]) -> Result<Self> {
        serde_json::from_slice(answer).context("cannot read the output of `cargo metadata`")
    }

    /// Chooses a binary of the crate in `directory`, or of the workspace there.
    pub(super) fn binary(&self, directory: &Path, wanted: Option<&str>) -> Result<Binary> {
        let packages = self.packages_of(directory);
        let binaries = packages
            .iter()
            .flat_map(|package| package.binaries().map(move |name| (name, *package)));
        let binaries: Vec<(&str, &Package)> = binaries.collect();
        let names = || {
            let names: Vec<&str> = binaries.iter().map(|(name, _)| *name).collect();
            names.join(", ")
        };
        let found: Vec<_> = match wanted {
            Some(wanted) => binaries
                .iter()
                .filter(|(name, _)| *name == wanted)
                .collect(),
            None => {
                let is_default = |(name, package): &&(&str, &Package)| {
                    package.default_run.as_deref() == Some(*name)
                };
                let default: Vec<_> = binaries.iter().filter(is_default).collect();
                if default.len() == 1 {
                    default
                } else {
                    binaries.iter().collect()
                }
            }
        };
        match (found.as_slice(), wanted) {
            ([(name, package)], _) => Ok(Binary {
                name: (*name).to_owned(),
                package: (*package).clone(),
            }),
            ([], _) if binaries.is_empty() => bail!(
                Failure::usage(format!(
                    "the project in {} has no binary, only libraries",
                    path_text(&self.workspace_root)
                ))
                .hint("add a `src/main.rs`, which starts the provider")
            ),
            ([], wanted) => bail!(
                Failure::new(
                    ErrorKind::NotFound,
                    format!("there is no binary `{}`", wanted.unwrap_or_default())
                )
                .hint(format!("name one of: {}", names()))
            ),
            (_, None) => bail!(
                Failure::usage(format!("there are several binaries: {}", names())).hint(
                    "name the provider's as `bin_name` in the table [provider], or with --bin"
                )
            ),
            (_, Some(wanted)) => bail!(
                Failure::usage(format!("several crates have a binary `{wanted}`"))
                    .hint("name the directory of one crate as `path`")
            ),
        }
    }

    /// Returns the crate in `directory`, or the default members if the directory has only a workspace.
    fn packages_of(&self, directory: &Path) -> Vec<&Package> {
        if let Ok(manifest) = directory.join("Cargo.toml").canonicalize() {
            let is_there = |package: &&Package| {
                let path = package.manifest_path.canonicalize();
                path.is_ok_and(|path| path == manifest)
            };
            if let Some(package) = self.packages.iter().find(is_there) {
                return vec![package];
            }
        }
        let is_default = |package: &&Package| {
            self.workspace_default_members.is_empty()
                || self.workspace_default_members.contains(&package.id)
        };
        self.packages.iter().filter(is_default).collect()
    }
}

#[cfg(test)]
#[path = "tests/metadata.rs"]
mod tests;
