//! `par init`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{ValueEnum, ValueHint};

use crate::archive;
use crate::cli::build::{self, Language, PROJECT_FILE, Project, WantedTarget};
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::{AtomicFile, ErrorKind};

/// Write a `wasmcloud.toml` for a Rust crate or a Go module, and print its path
///
/// `par build` and `wash build` read this file. An existing file is not changed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par init
  par init --vendor Example --target x86_64-linux --target aarch64-linux
  par init providers/kvredis --bin kvredis --registry ghcr.io/org/kvredis")]
pub(crate) struct Args {
    /// The directory of the crate or the module. Default: the current directory
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// The language. Default: Rust if there is a `Cargo.toml`, Go if there is a `go.mod`
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    language: Option<WrittenIn>,
    /// The provider's name, for people. Default: the name of the binary
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// The provider's vendor, for people. Default: `NoVendor`, as for `wash`
    #[arg(short, long, value_name = "VENDOR")]
    vendor: Option<String>,
    /// The binary that is the provider. Default: the only binary
    #[arg(long = "bin", value_name = "NAME")]
    binary: Option<String>,
    /// A target to build for: a Rust triple, GOOS/GOARCH, or `arch-os`. May be given several times. Default: none, so
    /// `par build` builds for the machine's own target
    #[arg(short, long = "target", value_name = "TARGET")]
    targets: Vec<WantedTarget>,
    /// The repository that `par build --push` pushes to. Default: none
    #[arg(long, value_name = "REF")]
    registry: Option<String>,
}

/// A language, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WrittenIn {
    /// A crate
    Rust,
    /// A module
    Go,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let directory = args.directory.clone().unwrap_or_default();
    let file = directory.join(PROJECT_FILE);
    if file.symlink_metadata().is_ok() {
        let message = format!("{} exists already", path_text(&file));
        bail!(Failure::new(ErrorKind::Conflict, message).hint("change that file"));
    }
    let language = match args.language {
        Some(WrittenIn::Rust) => Language::Rust,
        Some(WrittenIn::Go) => Language::Go,
        None => detect(&directory)?,
    };
    let draft = Project::new(language, &directory);
    let binary = build::binary_of(&draft, args.binary.as_deref(), session).await?;
    let text = text(&args, language, &binary);
    blocking(move || {
        let written = AtomicFile::create(&file).and_then(|mut new| {
            new.write_all(text.as_bytes())?;
            new.set_mode(0o644)?;
            new.commit_new()
        });
        written.map_err(|source| archive::Error::Write {
            path: file.clone(),
            source,
        })?;
        Ok(Answer::file(&file)
            .field("language", name(language))
            .field("binary", binary))
    })
    .await
}

/// Finds the language of the project in a directory.
fn detect(directory: &Path) -> Result<Language> {
    let has = |name| directory.join(name).is_file();
    match (has("Cargo.toml"), has("go.mod")) {
        (true, false) => Ok(Language::Rust),
        (false, true) => Ok(Language::Go),
        (true, true) => {
            let message = "there is a crate and a Go module here";
            bail!(Failure::usage(message).hint("name one with --language"))
        }
        (false, false) => {
            let directory = match path_text(directory) {
                name if name.is_empty() => "the current directory".to_owned(),
                name => name,
            };
            let message = format!("there is neither a Cargo.toml nor a go.mod in {directory}");
            let hint = "name the directory of the crate or the module, or make one with `cargo new` or `go mod init`";
            bail!(Failure::new(ErrorKind::NotFound, message).hint(hint))
        }
    }
}

fn name(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Go => "go",
    }
}

/// Returns the text of the project file. For Go, `wash` requires the name and the version.
fn text(args: &Args, language: Language, binary: &str) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut lines = Vec::new();
    let provider = args.name.as_deref();
    let provider = provider.or((language == Language::Go).then_some(binary));
    match provider {
        Some(provider) => lines.push(format!("name = {}", quoted(provider))),
        None => lines.push("# The name and the version are those of the crate.".to_owned()),
    }
    if language == Language::Go {
        lines.push("version = \"0.1.0\"".to_owned());
    }
    lines.push(format!("language = {}", quoted(name(language))));
    lines.push("type = \"provider\"".to_owned());
    lines.push(String::new());
    lines.push("[provider]".to_owned());
    let vendor = args.vendor.as_deref().unwrap_or("NoVendor");
    lines.push(format!("vendor = {}", quoted(vendor)));
    lines.push(format!("bin_name = {}", quoted(binary)));
    if !args.targets.is_empty() {
        let targets = args
            .targets
            .iter()
            .map(|target| quoted(&target.to_string()));
        let targets: Vec<String> = targets.collect();
        lines.push(format!("targets = [{}]", targets.join(", ")));
    }
    if let Some(registry) = &args.registry {
        lines.push(String::new());
        lines.push("[registry]".to_owned());
        lines.push(format!("url = {}", quoted(registry)));
    }
    lines.push(String::new());
    lines.join("\n")
}
