//! Runs cargo for each target, and finds the executables in its messages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::archive::Target;
use crate::cli::build::executable::Compiled;
use crate::cli::build::options::BuildOptions;
use crate::cli::build::program::Program;
use crate::cli::build::project::Project;
use crate::cli::build::target::WantedTarget;
use crate::cli::build::tool::{Tool, records_crates};
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::ErrorKind;

use super::configuration::Configuration;
use super::messages::{executable, triple};
use super::metadata::{Binary, Metadata};
use super::paths::TrimmedPaths;
use super::toolchain::Toolchain;

/// The name of the directory of cargo's output inside the container of `cross`.
const CONTAINER: &str = "/target";

/// Cargo, for a project.
pub(in super::super) struct Cargo<'a> {
    project: &'a Project,
    session: &'a Session,
    metadata: Metadata,
}

impl<'a> Cargo<'a> {
    /// Asks cargo about the packages of the project.
    pub(in super::super) async fn of(project: &'a Project, session: &'a Session) -> Result<Self> {
        let mut program = Program::new(&project.compiler, &project.directory);
        program
            .command()
            .args(["metadata", "--no-deps", "--format-version", "1"]);
        let answer = program.answer(session).await?;
        let mut metadata = Metadata::read(&answer)?;
        if let Some(directory) = &project.target_directory {
            let directory = project.directory.join(directory);
            metadata.target_directory =
                std::path::absolute(directory).context("there is no current directory")?;
        }
        Ok(Self {
            project,
            session,
            metadata,
        })
    }

    /// Chooses the binary of the provider.
    pub(in super::super) fn binary(&self, wanted: Option<&str>) -> Result<Binary> {
        self.metadata.binary(&self.project.directory, wanted)
    }

    /// Builds the binary for all targets, one after the other. Without targets, cargo chooses one.
    pub(in super::super) async fn build(
        &self,
        binary: &Binary,
        targets: &[WantedTarget],
        options: &BuildOptions,
    ) -> Result<Vec<Compiled>> {
        if let Some(tool) = options.with {
            tool.check_installed()?;
        }
        let directory = std::path::absolute(self.in_directory());
        let directory = directory.context("there is no current directory")?;
        let configuration = blocking(move || Ok(Configuration::of(&directory))).await?;
        let toolchain = Toolchain::of(&self.project.directory).await?;
        let brings = options.with.is_some_and(Tool::brings_targets);
        let needs_library = !brings && !configuration.builds_library;
        let triples = toolchain.triples(targets, needs_library).await?;
        let trimmed = if options.is_reproducible {
            Some(self.trimmed(&toolchain).await?)
        } else {
            None
        };
        let mut compiled = Vec::new();
        let wanted = triples.iter().map(|triple| Some(triple.as_str()));
        let wanted: Vec<Option<&str>> = if triples.is_empty() {
            vec![None]
        } else {
            wanted.collect()
        };
        for wanted in wanted {
            let mut program = self.program(binary, wanted, options);
            if let Some(trimmed) = &trimmed
                && trimmed.apply(program.command(), &configuration).is_err()
            {
                self.session.warn(
                    "cargo is configured with flags for rustc in `build` and in `target`, so the paths of this machine \
                     stay in the executables; give the flags in one of the two",
                );
            }
            let made = self.run(program, binary).await.with_context(|| {
                let target = wanted.unwrap_or(&toolchain.host);
                Failure::new(ErrorKind::Other, format!("the build for {target} failed"))
            })?;
            for path in made {
                compiled.push(self.labelled(path, wanted, targets, &toolchain.host)?);
            }
        }
        Ok(compiled)
    }

    fn in_directory(&self) -> &Path {
        if self.project.directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.project.directory
        }
    }

    /// Returns the command that builds for a target.
    fn program(&self, binary: &Binary, target: Option<&str>, options: &BuildOptions) -> Program {
        let compiler = match options.with {
            Some(Tool::Cross) => Path::new(Tool::Cross.program()),
            _ => &self.project.compiler,
        };
        let mut program = Program::new(compiler, &self.project.directory);
        let command = program.command();
        if options.auditable && records_crates(&self.project.compiler, options.with) {
            command.arg("auditable");
        }
        command.arg(match options.with {
            Some(Tool::CargoZigbuild) => "zigbuild",
            _ => "build",
        });
        if !(options.debug || self.project.debug) {
            command.arg("--release");
        }
        if self.session.is_quiet() {
            command.arg("--quiet");
        }
        command.args(["--package", &binary.package.id, "--bin", &binary.name]);
        command.args(["--message-format", "json-render-diagnostics"]);
        if let Some(target) = target {
            command.args(["--target", target]);
        }
        if self.project.target_directory.is_some() {
            command
                .arg("--target-dir")
                .arg(&self.metadata.target_directory);
        }
        command.args(&options.arguments);
        program
    }

    /// Runs the build, and returns the executables of the binary that it made.
    async fn run(&self, program: Program, binary: &Binary) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let each = |line: &[u8]| {
            found.extend(executable(line, &binary.package.id, &binary.name));
        };
        program.lines(self.session, each).await?;
        if found.is_empty() {
            bail!(
                "cargo reported no executable for the binary `{}`",
                binary.name
            );
        }
        Ok(found.into_iter().map(|path| self.outside(path)).collect())
    }

    /// Returns the path on this machine of a file that `cross` has made in its container.
    fn outside(&self, path: PathBuf) -> PathBuf {
        match path.strip_prefix(CONTAINER) {
            Ok(within) if !path.exists() => self.metadata.target_directory.join(within),
            _ => path,
        }
    }

    /// Finds the label of an executable: the wanted target, or the one that cargo chose.
    fn labelled(
        &self,
        path: PathBuf,
        wanted: Option<&str>,
        targets: &[WantedTarget],
        host: &str,
    ) -> Result<Compiled> {
        let platform = match wanted {
            Some(wanted) => wanted.to_owned(),
            None => {
                triple(&path, &self.metadata.target_directory).unwrap_or_else(|| host.to_owned())
            }
        };
        let asked = targets
            .iter()
            .find(|target| target.triples().contains(&platform));
        let target: Target = match asked {
            Some(asked) => asked.target().clone(),
            None => platform
                .parse()
                .map_err(|error| anyhow!("cannot label {}: {error}", path_text(&path)))?,
        };
        Ok(Compiled {
            target,
            platform,
            path,
        })
    }

    /// Returns the paths of this machine that executables must not contain.
    async fn trimmed(&self, toolchain: &Toolchain<'_>) -> Result<TrimmedPaths> {
        let source = match (&toolchain.commit, toolchain.sysroot().await?) {
            (Some(commit), Some(sysroot)) => {
                let source = sysroot.join("lib/rustlib/src/rust");
                Some((source, format!("/rustc/{commit}")))
            }
            _ => None,
        };
        Ok(TrimmedPaths::new(
            self.metadata.workspace_root.clone(),
            self.metadata.target_directory.clone(),
            source,
        ))
    }
}
