//! Builds providers in Go. The Go compiler needs no other tool to build for any target.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::archive::Target;
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::content::ErrorKind;

use super::executable::Compiled;
use super::options::BuildOptions;
use super::program::Program;
use super::project::Project;
use super::target::{GoTarget, WantedTarget};

/// The compiler, for a project.
pub(super) struct Go<'a> {
    project: &'a Project,
    session: &'a Session,
}

/// The target that Go builds for by default.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Environment {
    goos: String,
    goarch: String,
}

impl<'a> Go<'a> {
    pub(super) fn new(project: &'a Project, session: &'a Session) -> Self {
        Self { project, session }
    }

    fn program(&self) -> Program {
        Program::new(&self.project.compiler, &self.project.directory)
    }

    /// Returns the name of the binary: the wanted one, or the last part of the import path, as for `go build`.
    pub(super) async fn binary(&self, wanted: Option<&str>) -> Result<String> {
        let mut list = self.program();
        list.command()
            .args(["list", "-find", "-f", "{{.Name}} {{.ImportPath}}", "."]);
        let answer = list.answer(self.session).await?;
        let answer = String::from_utf8_lossy(&answer);
        let (package, path) = answer.trim().split_once(' ').unwrap_or_default();
        if package != "main" {
            let directory = path_text(&self.project.directory);
            let message = match directory.as_str() {
                "" => format!(
                    "the Go package here is `{package}`, and only a package `main` makes an executable"
                ),
                _ => format!(
                    "the Go package in {directory} is `{package}`, and only a package `main` makes an executable"
                ),
            };
            bail!(Failure::usage(message).hint("name the directory of the main package as `path`"));
        }
        if let Some(wanted) = wanted {
            return Ok(wanted.to_owned());
        }
        let is_version = |part: &&str| {
            let digits = part.strip_prefix('v').unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let name = path.rsplit('/').find(|part| !is_version(part));
        Ok(name.unwrap_or("provider").to_owned())
    }

    /// Builds the binary for all targets, one after the other.
    pub(super) async fn build(
        &self,
        binary: &str,
        targets: &[WantedTarget],
        options: &BuildOptions,
    ) -> Result<Vec<Compiled>> {
        if options.with.is_some() {
            let message = "Go needs no other tool to compile for any target";
            bail!(Failure::usage(message).hint("leave out --with"));
        }
        let targets = self.platforms(targets).await?;
        if self.project.generate {
            let mut generate = self.program();
            generate.command().args(["generate", "./..."]);
            generate
                .run(self.session)
                .await
                .context(Failure::new(ErrorKind::Other, "`go generate` failed"))?;
        }
        let mut compiled = Vec::new();
        for (target, platform) in targets {
            let path = self.compile(binary, &target, &platform, options).await;
            compiled.push(Compiled {
                path: path.with_context(|| {
                    Failure::new(ErrorKind::Other, format!("the build for {target} failed"))
                })?,
                target,
                platform: platform.to_string(),
            });
        }
        Ok(compiled)
    }

    /// Returns the labels of the targets and Go's names for them. Without targets, returns the target that Go builds
    /// for by default.
    async fn platforms(&self, targets: &[WantedTarget]) -> Result<Vec<(Target, GoTarget)>> {
        let named = targets.iter().map(|wanted| match wanted.go() {
            Some(platform) => Ok((wanted.target().clone(), platform)),
            None => bail!(
                Failure::usage(format!("Go has no name for the target {wanted}"))
                    .hint("name it as GOOS/GOARCH; `go tool dist list` prints all of them")
            ),
        });
        let named: Vec<_> = named.collect::<Result<_>>()?;
        if !named.is_empty() {
            return Ok(named);
        }
        let mut env = self.program();
        env.command().args(["env", "-json", "GOOS", "GOARCH"]);
        let answer = env.answer(self.session).await?;
        let found: Environment =
            serde_json::from_slice(&answer).context("cannot read the output of `go env`")?;
        let target = format!("{}/{}", found.goos, found.goarch);
        let target: WantedTarget = target.parse().map_err(Failure::usage)?;
        Ok(vec![(
            target.target().clone(),
            GoTarget::new(&found.goos, &found.goarch, None),
        )])
    }

    async fn compile(
        &self,
        binary: &str,
        target: &Target,
        platform: &GoTarget,
        options: &BuildOptions,
    ) -> Result<PathBuf> {
        let suffix = if platform.os == "windows" { ".exe" } else { "" };
        let directory = self.project.build_directory.join(target.as_str());
        let path = directory.join(format!("{binary}{suffix}"));
        // An absolute path is needed because the compiler runs in the directory of the project.
        let output = std::path::absolute(&path).context("there is no current directory")?;
        let mut build = self.program();
        let command = build.command();
        command.arg("build").arg("-o").arg(&output).arg("-trimpath");
        if options.debug {
            command.arg("-gcflags=all=-N -l");
        }
        command.args(&options.arguments);
        command
            .env("GOOS", &platform.os)
            .env("GOARCH", &platform.arch);
        if let Some(version) = &platform.arm {
            command.env("GOARM", version);
        }
        // Without C, the executable is static, and no other compiler is needed.
        if std::env::var_os("CGO_ENABLED").is_none_or(|value| value.is_empty()) {
            command.env("CGO_ENABLED", "0");
        }
        build.run(self.session).await?;
        Ok(path)
    }
}
