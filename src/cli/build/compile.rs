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

/// The build of a provider. Its binary is known, and nothing is compiled yet.
pub(crate) struct PlannedBuild<'a> {
    compiler: Compiler<'a>,
    targets: &'a [WantedTarget],
    options: &'a BuildOptions,
}

/// The compiler for a language, and the binary that it makes.
enum Compiler<'a> {
    Cargo(Cargo<'a>, Box<Binary>),
    Go(Go<'a>, String),
}

/// A provider that was built.
pub(crate) struct Built {
    /// The name of the binary.
    pub(crate) binary: String,
    /// The name of the crate, if there is one.
    pub(crate) name: Option<String>,
    /// The executables, one for each target.
    pub(crate) executables: Vec<Compiled>,
}

impl<'a> PlannedBuild<'a> {
    /// Asks the compiler about the binary of the project.
    pub(crate) async fn of(
        project: &'a Project,
        options: &'a BuildOptions,
        session: &'a Session,
    ) -> Result<Self> {
        let targets = if options.targets.is_empty() {
            &project.targets
        } else {
            &options.targets
        };
        distinct(targets)?;
        let wanted = options.binary.as_deref().or(project.binary.as_deref());
        Ok(Self {
            compiler: Compiler::of(project, wanted, session).await?,
            targets,
            options,
        })
    }

    /// Returns the version of the crate, if there is one.
    pub(crate) fn version(&self) -> Option<&str> {
        match &self.compiler {
            Compiler::Cargo(_, binary) => Some(binary.package.version.as_str()),
            Compiler::Go(..) => None,
        }
    }

    /// Builds the provider for all wanted targets.
    pub(crate) async fn run(self) -> Result<Built> {
        let (targets, options) = (self.targets, self.options);
        let (binary, name, compiled) = match self.compiler {
            Compiler::Cargo(cargo, binary) => {
                let compiled = cargo.build(&binary, targets, options).await?;
                let Binary { name, package, .. } = *binary;
                (name, Some(package.name), compiled)
            }
            Compiler::Go(go, binary) => {
                let compiled = go.build(&binary, targets, options).await?;
                (binary, None, compiled)
            }
        };
        let check = move || compiled.into_iter().map(Compiled::check).collect();
        let executables: Vec<Compiled> = blocking(check).await?;
        one_for_each_target(&executables)?;
        Ok(Built {
            binary,
            name,
            executables,
        })
    }
}

impl<'a> Compiler<'a> {
    async fn of(project: &'a Project, wanted: Option<&str>, session: &'a Session) -> Result<Self> {
        Ok(match project.language {
            Language::Rust => {
                let cargo = Cargo::of(project, session).await?;
                let binary = cargo.binary(wanted)?;
                Self::Cargo(cargo, Box::new(binary))
            }
            Language::Go => {
                let go = Go::new(project, session);
                let binary = go.binary(wanted).await?;
                Self::Go(go, binary)
            }
        })
    }
}

/// Returns the name of the binary that a build would make.
pub(crate) async fn binary_of(
    project: &Project,
    wanted: Option<&str>,
    session: &Session,
) -> Result<String> {
    Ok(match Compiler::of(project, wanted, session).await? {
        Compiler::Cargo(_, binary) => binary.name,
        Compiler::Go(_, binary) => binary,
    })
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
