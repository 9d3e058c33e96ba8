//! The project file `wasmcloud.toml`, as `wash` reads it for providers.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result, bail};
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use crate::archive::Target;
use crate::cli::files;
use crate::cli::output::{Failure, path_text};
use crate::content::{ErrorKind, home};

use super::project_keys::unknown_keys;
use super::target::WantedTarget;

/// The name of the project file.
pub(crate) const PROJECT_FILE: &str = "wasmcloud.toml";

/// The default vendor, as for `wash`.
const DEFAULT_VENDOR: &str = "NoVendor";

/// A language that providers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Go,
}

/// The content of a project file. Its paths are relative to the current directory.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) language: Language,
    /// The project file.
    pub(crate) file: PathBuf,
    /// The directory that the compiler runs in.
    pub(crate) directory: PathBuf,
    /// The provider's name. Default: the name of the crate or the binary.
    pub(crate) name: Option<String>,
    /// The provider's version. Default: the version of the crate.
    pub(crate) version: Option<String>,
    pub(crate) revision: i32,
    pub(crate) vendor: String,
    /// The directory with the WIT package, and whether the file names it.
    pub(crate) wit_directory: (PathBuf, bool),
    /// The directory that the archive is written to.
    pub(crate) build_directory: PathBuf,
    /// The targets to build for. Default: the machine's own.
    pub(crate) targets: Vec<WantedTarget>,
    pub(crate) binary: Option<String>,
    pub(crate) key_directory: Option<PathBuf>,
    /// The file with the JSON schema of the provider's configuration.
    pub(crate) config_schema: Option<PathBuf>,
    /// The compiler: cargo or go.
    pub(crate) compiler: PathBuf,
    /// The target directory of cargo, relative to `directory`.
    pub(crate) target_directory: Option<PathBuf>,
    /// Whether to build without optimisations.
    pub(crate) debug: bool,
    /// Whether `go generate` runs first.
    pub(crate) generate: bool,
    pub(crate) registry: Registry,
    /// The warnings about the file: things that the user probably does not intend.
    pub(crate) warnings: Vec<String>,
}

/// The table `registry`: the options for pushing the archive.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Registry {
    pub(crate) url: Option<String>,
    /// A JSON file with users and passwords.
    pub(crate) credentials: Option<PathBuf>,
    /// Whether to push over plain HTTP.
    pub(crate) push_insecure: bool,
}

#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    revision: i32,
    language: Spanned<String>,
    path: Option<PathBuf>,
    #[serde(alias = "wit_dir")]
    wit: Option<PathBuf>,
    #[serde(alias = "build_dir")]
    build: Option<PathBuf>,
    #[serde(default)]
    provider: ProviderTable,
    #[serde(default)]
    rust: RustTable,
    #[serde(default)]
    go: GoTable,
    #[serde(default)]
    registry: Registry,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProviderTable {
    vendor: Option<String>,
    os: Option<String>,
    arch: Option<String>,
    rust_target: Option<WantedTarget>,
    bin_name: Option<String>,
    key_directory: Option<PathBuf>,
    targets: Option<Vec<WantedTarget>>,
    config_schema: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RustTable {
    cargo_path: Option<PathBuf>,
    target_path: Option<PathBuf>,
    debug: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GoTable {
    go_path: Option<PathBuf>,
    disable_go_generate: bool,
}

impl Project {
    /// Returns a project with the defaults for a language. Its paths are relative to `directory`.
    pub(crate) fn new(language: Language, directory: &Path) -> Self {
        Self {
            language,
            file: directory.join(PROJECT_FILE),
            directory: directory.to_owned(),
            name: None,
            version: None,
            revision: 0,
            vendor: DEFAULT_VENDOR.to_owned(),
            wit_directory: (directory.join("wit"), false),
            build_directory: directory.join("build"),
            targets: Vec::new(),
            binary: None,
            key_directory: None,
            config_schema: None,
            compiler: match language {
                Language::Rust => "cargo".into(),
                Language::Go => "go".into(),
            },
            target_directory: None,
            debug: false,
            generate: true,
            registry: Registry::default(),
            warnings: Vec::new(),
        }
    }

    /// Reads the project file at `path`, or in the directory at `path`. Blocks.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = if path.as_os_str().is_empty() || path.is_dir() {
            path.join(PROJECT_FILE)
        } else {
            path.to_owned()
        };
        let name = path_text(&file);
        if let Err(error) = file.symlink_metadata()
            && error.kind() == io::ErrorKind::NotFound
        {
            let message = format!("there is no {name}, which describes the project");
            let hint = "write one with `par init`, or name another with --config-path";
            bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
        }
        let text = files::read_small(&file, &name)?;
        let Ok(text) = String::from_utf8(text) else {
            bail!(Failure::usage(format!("{name} is not UTF-8")));
        };
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        let mut project = parse(&text, &base).map_err(|problem| {
            let (line, column) = position(&text, problem.start);
            let failure = Failure::usage(format!("{name}:{line}:{column}: {}", problem.reason));
            match problem.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        for warning in &mut project.warnings {
            warning.insert_str(0, &format!("{name}:"));
        }
        project.check_directory(&name)?;
        project.file = file;
        Ok(project)
    }

    /// Checks that the directory of the project, which `path` in the project file may name, is there. `file` is the name
    /// of that file.
    fn check_directory(&self, file: &str) -> Result<()> {
        // An empty path stands for the current directory.
        if self.directory.as_os_str().is_empty() {
            return Ok(());
        }
        let error = match self.directory.metadata() {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => io::Error::from(io::ErrorKind::NotADirectory),
            Err(error) => error,
        };
        let directory = path_text(&self.directory);
        let message = format!("cannot use the directory {directory}, which `path` in {file} names");
        let failure = Failure::new(ErrorKind::of_io(&error), message);
        let hint = "correct `path`, which is relative to the project file";
        Err(Error::new(error).context(failure.hint(hint)))
    }
}

/// A problem in the text of a project file.
#[derive(Debug)]
struct Problem {
    /// The position of the problem in the text, in bytes.
    start: usize,
    reason: String,
    hint: Option<&'static str>,
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        Self {
            start: error.span().map_or(0, |span| span.start),
            reason: error.message().trim().replace('\n', ", "),
            hint: None,
        }
    }
}

/// Reads the text of a project file that is in the directory `base`.
fn parse(text: &str, base: &Path) -> Result<Project, Problem> {
    let table = DeTable::parse(text)?.into_inner();
    require_provider(&table)?;
    let mut warnings = Vec::new();
    for key in unknown_keys(&table) {
        let (line, column) = position(text, key.start);
        let mut warning = format!("{line}:{column}: unknown key `{}`", key.name);
        if let Some(similar) = key.similar {
            warning.push_str(&format!("; is `{similar}` meant?"));
        }
        warnings.push(warning);
    }
    let document: Document = toml::from_str(text)?;
    let language = language(&document.language)?;
    let (provider, rust, go) = (document.provider, document.rust, document.go);
    let directory = document
        .path
        .map_or_else(|| base.to_owned(), |path| base.join(path));
    let targets = match (provider.targets, provider.rust_target, language) {
        (Some(targets), _, _) => targets,
        (None, Some(triple), Language::Rust) => vec![triple],
        _ => own_target(provider.arch, provider.os)?,
    };
    let compiler = match language {
        Language::Rust => rust.cargo_path,
        Language::Go => go.go_path,
    };
    let credentials = document.registry.credentials;
    let mut project = Project::new(language, &directory);
    if let Some(wit) = document.wit {
        project.wit_directory = (base.join(wit), true);
    }
    if let Some(build) = document.build {
        project.build_directory = base.join(build);
    }
    if let Some(vendor) = provider.vendor {
        project.vendor = vendor;
    }
    if let Some(compiler) = compiler {
        project.compiler = compiler;
    }
    Ok(Project {
        name: document.name,
        version: document.version,
        revision: document.revision,
        targets,
        binary: provider.bin_name,
        key_directory: provider.key_directory.map(|path| from_home(base, &path)),
        config_schema: provider.config_schema.map(|path| base.join(path)),
        target_directory: rust.target_path,
        debug: rust.debug,
        generate: !go.disable_go_generate,
        registry: Registry {
            credentials: credentials.map(|path| from_home(base, &path)),
            ..document.registry
        },
        warnings,
        ..project
    })
}

/// Refuses projects that are not providers, and names the tool that builds them.
fn require_provider(table: &DeTable<'_>) -> Result<(), Problem> {
    let Some(kind) = table.get("type") else {
        return Err(Problem {
            start: 0,
            reason: "there is no `type`".to_owned(),
            hint: Some("write type = \"provider\""),
        });
    };
    let start = kind.span().start;
    let name = kind
        .get_ref()
        .as_str()
        .map(|name| name.trim().to_ascii_lowercase());
    let (reason, hint) = match name.as_deref() {
        Some("provider") => return Ok(()),
        Some("component" | "actor") => (
            "this project is a component, and `par` builds only providers".to_owned(),
            "build it with `wash build` of wash v2, and push it with `wkg oci push`",
        ),
        Some("interface") => (
            "this project is an interface, and `par` builds only providers".to_owned(),
            "build and publish it with `wkg wit build` and `wkg publish`",
        ),
        Some(other) => (
            format!("`par` builds only projects of the type `provider`, and not `{other}`"),
            "write type = \"provider\" if this is a capability provider",
        ),
        None => (
            "`type` is not a text".to_owned(),
            "write type = \"provider\"",
        ),
    };
    Err(Problem {
        start,
        reason,
        hint: Some(hint),
    })
}

fn language(written: &Spanned<String>) -> Result<Language, Problem> {
    match written.get_ref().trim().to_ascii_lowercase().as_str() {
        "rust" => Ok(Language::Rust),
        "go" => Ok(Language::Go),
        other => Err(Problem {
            start: written.span().start,
            reason: format!("providers are written in `rust` or `go`, and not in `{other}`"),
            hint: Some("compile it yourself, and pack the executables with `par create`"),
        }),
    }
}

/// Returns the target that the keys `arch` and `os` name, if one of them is there.
fn own_target(arch: Option<String>, os: Option<String>) -> Result<Vec<WantedTarget>, Problem> {
    if arch.is_none() && os.is_none() {
        return Ok(Vec::new());
    }
    let arch = arch.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let os = os.unwrap_or_else(|| std::env::consts::OS.to_owned());
    let target: Result<WantedTarget, _> = format!("{arch}-{os}").parse();
    let target = target.map_err(|reason| Problem {
        start: 0,
        reason,
        hint: None,
    })?;
    // The machine's own target is left out, so that the compiler chooses the C library.
    let is_own = *target.target() == Target::host();
    Ok(if is_own { Vec::new() } else { vec![target] })
}

/// Returns a path relative to `base`. `~` stands for the home directory.
fn from_home(base: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => base.join(path),
    }
}

/// Returns the line and the column of a byte in `text`, both counted from 1.
fn position(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
#[path = "tests/project.rs"]
mod tests;
