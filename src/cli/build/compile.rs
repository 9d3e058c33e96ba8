//! Builds a provider for all of its targets, in its language.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;

use super::cargo::{Binary, Cargo};
use super::executable::Compiled;
use super::go::Go;
use super::options::BuildOptions;
use super::project::{Language, Project};
use super::target::WantedTarget;

/// A provider that was built.
pub(crate) struct Built {
    /// The name of the binary.
    pub(crate) binary: String,
    /// The name of the crate, if there is one.
    pub(crate) name: Option<String>,
    /// The version of the crate, if there is one.
    pub(crate) version: Option<String>,
    /// The executables, one for each target.
    pub(crate) executables: Vec<Compiled>,
}

/// Builds the provider for all wanted targets.
pub(crate) async fn build(
    project: &Project,
    options: &BuildOptions,
    session: &Session,
) -> Result<Built> {
    let targets = if options.targets.is_empty() {
        &project.targets
    } else {
        &options.targets
    };
    distinct(targets)?;
    let wanted = options.binary.as_deref().or(project.binary.as_deref());
    let (binary, name, version, compiled) = match project.language {
        Language::Rust => {
            let cargo = Cargo::of(project, session).await?;
            let binary = cargo.binary(wanted)?;
            let compiled = cargo.build(&binary, targets, options).await?;
            let Binary { name, package, .. } = binary;
            (name, Some(package.name), Some(package.version), compiled)
        }
        Language::Go => {
            let go = Go::new(project, session);
            let binary = go.binary(wanted).await?;
            let compiled = go.build(&binary, targets, options).await?;
            (binary, None, None, compiled)
        }
    };
    let check = move || compiled.into_iter().map(Compiled::check).collect();
    let executables: Vec<Compiled> = blocking(check).await?;
    one_for_each_target(&executables)?;
    Ok(Built {
        binary,
        name,
        version,
        executables,
    })
}

/// Returns the name of the binary that a build would make.
pub(crate) async fn binary_of(
    project: &Project,
    wanted: Option<&str>,
    session: &Session,
) -> Result<String> {
    match project.language {
        Language::Rust => Ok(Cargo::of(project, session).await?.binary(wanted)?.name),
        Language::Go => Go::new(project, session).binary(wanted).await,
    }
}

/// Returns an error if two targets have the same label. This is checked before compiling.
fn distinct(targets: &[WantedTarget]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for wanted in targets {
        if let Some(other) = seen.insert(wanted.target(), wanted) {
            let message = format!(
                "{other} and {wanted} are both for {}, and an archive has one executable for each target",
                wanted.target()
            );
            bail!(Failure::usage(message).hint("leave out one of the two targets"));
        }
    }
    Ok(())
}

/// Returns an error if two executables have the same label. This can happen because the configuration of cargo can name
/// several targets.
fn one_for_each_target(executables: &[Compiled]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for compiled in executables {
        if let Some(other) = seen.insert(&compiled.target, compiled) {
            let message = format!(
                "{} and {} are both for {}, and an archive has one executable for each target",
                path_text(&other.path),
                path_text(&compiled.path),
                compiled.target
            );
            bail!(Failure::usage(message).hint("leave out one of the two targets"));
        }
    }
    Ok(())
}
