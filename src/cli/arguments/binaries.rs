//! `-b [TARGET=]PATH`: the executables that `create` and `insert` pack.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::archive::{self, Executable, ExecutableFacts, Input, Linking, Target};
use crate::cli::output::Failure;
use crate::cli::session::Session;
use crate::content::open_regular;

use super::path::is_one_file;

/// The executables to pack.
#[derive(clap::Args)]
pub(crate) struct BinaryArgs {
    /// An executable and its target: `aarch64-linux=build/provider`. A target can also be a triple such as
    /// `aarch64-unknown-linux-musl`, or GOOS/GOARCH such as `linux/arm64`. May be given several times. Default of
    /// TARGET: --arch
    #[arg(short, long = "binary", required = true, value_name = "[TARGET=]PATH",
        value_hint = ValueHint::FilePath)]
    binaries: Vec<OsString>,
    /// The target of a binary without a TARGET. Default: the target of this machine
    #[arg(short, long, value_name = "TARGET")]
    arch: Option<Target>,
    /// Accept targets that no wasmCloud host looks for
    #[arg(long)]
    allow_unknown_target: bool,
    /// Fail if there is a warning about an executable, instead of packing it
    #[arg(long)]
    deny_warnings: bool,
}

/// The executables to pack, one per target.
pub(crate) struct Binaries {
    /// The first executable on the command line. The default names of keys and archives are made from its name.
    pub(crate) first: PathBuf,
    pub(crate) by_target: BTreeMap<Target, PathBuf>,
    /// The warnings about executables: things that the user probably does not intend.
    pub(crate) warnings: Vec<String>,
}

impl BinaryArgs {
    /// Returns the options for packing executables that `par build` has compiled.
    pub(crate) fn of<'a>(
        executables: impl IntoIterator<Item = (&'a Target, &'a Path)>,
        deny_warnings: bool,
    ) -> Self {
        let named = executables.into_iter().map(|(target, path)| {
            let mut named = OsString::from(format!("{target}="));
            named.push(path);
            named
        });
        Self {
            binaries: named.collect(),
            arch: None,
            allow_unknown_target: true,
            deny_warnings,
        }
    }

    /// Returns the executables that the options name. Checks every file.
    pub(crate) fn read(&self) -> Result<Binaries> {
        let default = self.arch.clone().unwrap_or_else(Target::host);
        let mut first = None;
        let mut by_target = BTreeMap::new();
        let mut warnings = Vec::new();
        for option in &self.binaries {
            let (target, path) = split(option);
            let target = target.unwrap_or_else(|| default.clone());
            let (executable, facts) = check(&path, option)?;
            if !target.is_known() {
                let message = unknown(&target);
                if !self.allow_unknown_target {
                    bail!(message.hint("pack it all the same with --allow-unknown-target"));
                }
                warnings.push(message.to_string());
            }
            if !executable.suits(&target) {
                let path = path.display();
                warnings.push(match executable.interpreter(&target) {
                    Some(interpreter) => {
                        format!(
                            "{path} is a script: it starts only on hosts that have {interpreter}"
                        )
                    }
                    None => format!("hosts of {target} cannot run {path}: it is {executable}"),
                });
            } else {
                warnings.extend(obstacle(&path, &target, &facts));
            }
            first.get_or_insert_with(|| path.clone());
            if let Some(other) = by_target.insert(target.clone(), path.clone()) {
                let (one, other) = (other.display(), path.display());
                let message = format!("there are two binaries for {target}: {one} and {other}");
                bail!(Failure::usage(message).hint("name the target of each: -b TARGET=PATH"));
            }
        }
        if self.deny_warnings
            && let Some(warning) = warnings.first()
        {
            bail!(Failure::usage(warning).hint("the command runs with --deny-warnings"));
        }
        Ok(Binaries {
            first: first.ok_or_else(|| Failure::usage("there is no binary to pack"))?,
            by_target,
            warnings,
        })
    }
}

impl Binaries {
    /// Prints the warnings.
    pub(crate) fn warn(&self, session: &Session) {
        for warning in &self.warnings {
            session.warn(warning);
        }
    }

    pub(crate) fn inputs(&self) -> BTreeMap<Target, Input> {
        self.by_target
            .iter()
            .map(|(target, path)| (target.clone(), Input::File(path.clone())))
            .collect()
    }

    /// Returns the name of the first binary without its extension.
    pub(crate) fn stem(&self) -> Result<String> {
        stem(&self.first)
    }

    /// Returns the names of all binaries without their extensions.
    pub(crate) fn stems(&self) -> Result<BTreeSet<String>> {
        self.by_target.values().map(|path| stem(path)).collect()
    }

    /// Returns an error if `destination` is one of the binaries.
    pub(crate) fn refuse_as_destination(&self, destination: &Path) -> Result<()> {
        let mut paths = self.by_target.values();
        match paths.find(|path| is_one_file(path, destination)) {
            Some(path) => bail!(
                Failure::usage(format!(
                    "the archive would replace the binary {}",
                    path.display()
                ))
                .hint("name another file with --destination")
            ),
            None => Ok(()),
        }
    }
}

fn stem(path: &Path) -> Result<String> {
    let Some(stem) = path.file_stem().and_then(OsStr::to_str) else {
        let message = format!("the name of {} is not UTF-8", path.display());
        bail!(Failure::usage(message).hint("give --destination and --subject"));
    };
    Ok(stem.to_owned())
}

/// Returns the failure for a target that no host looks for.
fn unknown(target: &Target) -> Failure {
    Failure::usage(match target.usual_name() {
        Some(usual) => format!("hosts look for `{usual}`, not for `{target}`"),
        None => format!("no host looks for `{target}`"),
    })
}

/// Splits `TARGET=PATH`. If the part before the `=` is not a target, the whole option is a path that contains `=`.
fn split(option: &OsStr) -> (Option<Target>, PathBuf) {
    if let Some(option) = option.to_str()
        && let Some((before, path)) = option.split_once('=')
        && let Ok(target) = before.parse()
    {
        return (Some(target), PathBuf::from(path));
    }
    (None, PathBuf::from(option))
}

/// Returns a warning if the executable needs something that some hosts of `target` do not have.
fn obstacle(path: &Path, target: &Target, facts: &ExecutableFacts) -> Option<String> {
    let path = path.display();
    if target.as_str() == "aarch64-macos" && facts.signed == Some(false) {
        return Some(format!(
            "hosts of {target} cannot run {path}: it has no code signature, which `codesign --sign -` adds"
        ));
    }
    // For other processors it is not known whether the executable suits them.
    let is_for = |processor: &String| target.as_str().starts_with(processor.as_str());
    if !facts.processors.iter().any(is_for) {
        return None;
    }
    let is_dynamic = facts.linking == Some(Linking::Dynamic) && facts.interpreter.is_some();
    if !is_dynamic || !target.as_str().ends_with("-linux") {
        return None;
    }
    let needs = facts.needs()?;
    let hosts = if facts.is_for_glibc() {
        "Debian 12 has GLIBC 2.36, RHEL 9 has 2.34, and Alpine has none; a static executable, built for musl, \
         starts on all of them"
    } else {
        "only hosts that have it can start the executable; a static one starts on all hosts"
    };
    Some(format!(
        "{path} is dynamic: it needs {needs} on hosts of {target}; {hosts}"
    ))
}

/// Checks a binary before anything is written. Returns what kind of executable it is, and what it needs.
fn check(path: &Path, option: &OsStr) -> Result<(Executable, ExecutableFacts)> {
    let read_error = |source| archive::Error::Read {
        path: path.to_owned(),
        source,
    };
    let (mut file, size) = open_regular(path).map_err(|source| {
        let not_a_target = option
            .to_str()
            .and_then(|option| option.split_once('='))
            .filter(|_| path.as_os_str() == option)
            .and_then(|(before, _)| before.parse::<Target>().err());
        let error = anyhow::Error::new(read_error(source));
        match not_a_target {
            // Either the path or the target may be wrong, so the message has both.
            Some(reason) => error.context(Failure::usage(reason.to_string())),
            None => error,
        }
    })?;
    if size == 0 {
        bail!(Failure::usage(format!(
            "the binary {} is empty",
            path.display()
        )));
    }
    let mut magic = Vec::new();
    let read = (&file).take(4).read_to_end(&mut magic);
    read.map_err(read_error)?;
    if magic == b"\0asm" {
        let path = path.display();
        let message = format!("{path} is WebAssembly; a provider archive holds native executables");
        bail!(Failure::usage(message).hint("push components with `wkg oci push`"));
    }
    let executable = Executable::read(magic.as_slice().chain(&file)).map_err(read_error)?;
    let facts = ExecutableFacts::read_from(&mut file).map_err(read_error)?;
    Ok((executable, facts))
}

#[cfg(test)]
#[path = "tests/binaries.rs"]
mod tests;
