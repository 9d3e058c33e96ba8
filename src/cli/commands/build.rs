//! `par build`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};

use crate::archive::{ArchiveWriter, Compression, Metadata, encode_world};
use crate::cli::arguments::{
    BinaryArgs, OnCommandLine, SigningArgs, destination, refuse_inputs, refuse_wit_file,
};
use crate::cli::build::{BuildOptions, Built, Compiled, PlannedBuild, Project, Tool, WantedTarget};
use crate::cli::output::{Answer, path_text};
use crate::cli::schema::read_schema;
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::with_causes;

use super::build_push::{Destination, PushArgs};
use super::packing::Packing;

/// Compile the provider of a project for all wanted targets, pack it, and print the path of the archive
///
/// The project is described by `wasmcloud.toml`, as for `wash build`. Rust and Go are supported. The messages of the
/// compiler are shown. When `par build` is interrupted, it ends the compiler.
///
/// With SOURCE_DATE_EPOCH or --created, executables contain no paths of this machine, so that the same source and
/// compiler give the same archive.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par build
  par build --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl
  par build --target linux/amd64 --target linux/arm64
  par build --with cargo-zigbuild --target aarch64-linux -- --locked
  par build --revision 7 --push ghcr.io/org/provider:1.2.0 --if-absent")]
pub(crate) struct Args {
    /// The project file, or the directory with its `wasmcloud.toml`. Default: the current directory
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    config_path: Option<PathBuf>,
    /// A target to build for: a Rust triple, GOOS/GOARCH, or `arch-os` such as `aarch64-linux`. May be given several
    /// times. For `arch-os`, an installed musl target is preferred, because its executables are static. Default:
    /// `targets` or `rust_target` of the project, else the compiler's default
    #[arg(short, long = "target", value_name = "TARGET")]
    targets: Vec<WantedTarget>,
    /// Compile Rust with this program, which brings a linker for other machines. Default: `cargo build`
    #[arg(long, value_enum, value_name = "PROGRAM")]
    with: Option<Tool>,
    /// Do not record the crates in the executables. Default: `cargo auditable` compiles Rust where it is installed, and
    /// `par sbom` lists the crates
    #[arg(long)]
    no_auditable: bool,
    /// The binary to build. Default: `bin_name` of the project, else the only binary, or the one that `cargo run`
    /// starts
    #[arg(long = "bin", value_name = "NAME")]
    binary: Option<String>,
    /// Build without optimisations. Default: a release build
    #[arg(long)]
    debug: bool,
    /// A number that grows with each release. Default: `revision` of the project, else 0
    #[arg(short, long, visible_alias = "rev", value_name = "NUMBER")]
    revision: Option<i32>,
    /// The provider's version, any text. Default: `version` of the project, else the version of the crate
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    version: Option<String>,
    /// The archive to write; an existing file is replaced. Default: `{name of the binary}.par.gz` in the directory
    /// `build` of the project
    #[arg(long, value_name = "FILE", value_parser = destination())]
    destination: Option<PathBuf>,
    /// Fail if there is a warning about an executable, instead of packing it
    #[arg(long)]
    deny_warnings: bool,
    /// Generate missing keys also where `CI` is set
    #[arg(long, conflicts_with = "disable_keygen")]
    keygen: bool,
    #[command(flatten)]
    signing: SigningArgs,
    /// Push the archive afterwards, to REF or to `url` in the table [registry] of the project. A `url` without a tag
    /// gets the version as its tag. Default: the archive is not pushed
    #[arg(
        long,
        value_name = "REF",
        num_args = 0..=1,
        default_missing_value = ""
    )]
    push: Option<OsString>,
    #[command(flatten)]
    pushing: OnCommandLine<PushArgs>,
    /// More arguments for the compiler, such as `--locked` or `--features tls`
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let path = args.config_path.take().unwrap_or_default();
    let project = blocking(move || Project::read(&path)).await?;
    for warning in &project.warnings {
        session.warn(warning);
    }
    args.signing.directory.prefer(project.key_directory.clone());
    // All arguments are checked first, because compiling takes long.
    args.signing.check()?;
    if let Some(destination) = &args.destination {
        refuse_files_of(&project, destination)?;
    }
    if !args.keygen {
        args.signing.require_directory()?;
    }
    let created = args.signing.created()?;
    let destination = match &args.push {
        Some(reference) => {
            let options = args.pushing.options;
            Some(Destination::open(reference, &project, options, created, session).await?)
        }
        None => {
            args.pushing.refuse()?;
            None
        }
    };
    // A password is the first line of standard input, and a key may follow.
    args.signing = args.signing.read_streams().await?;
    let options = BuildOptions {
        targets: args.targets,
        with: args.with,
        auditable: !args.no_auditable,
        binary: args.binary,
        debug: args.debug,
        is_reproducible: created.is_some(),
        arguments: args.arguments,
    };
    let planned = PlannedBuild::of(&project, &options, session).await?;
    let version = args.version.or_else(|| project.version.clone());
    let version = version.or_else(|| planned.version().map(str::to_owned));
    let destination = destination.map(|destination| destination.tagged(version.as_deref()));
    let destination = destination.transpose()?;
    let built = planned.run().await?;
    let release = Release {
        revision: args.revision,
        version,
        destination: args.destination,
        deny_warnings: args.deny_warnings,
        keygen: args.keygen,
        signing: args.signing,
        project,
        built,
    };
    let packed = {
        let session = session.clone();
        blocking(move || release.pack(&session)).await?
    };
    let mut answer = packed.answer;
    let pushed = match destination {
        Some(destination) => {
            let pushed = destination.push(&packed.archive, session).await?;
            answer.text.push(b'\n');
            answer.text.extend(&pushed.text);
            pushed.into_value()
        }
        None => Value::Null,
    };
    Ok(answer.field("pushed", pushed))
}

/// Returns an error if `destination` is one of the files that describe the project.
fn refuse_files_of(project: &Project, destination: &Path) -> Result<()> {
    let manifests = ["Cargo.toml", "Cargo.lock", "go.mod", "go.sum"];
    let manifests = manifests.map(|name| project.directory.join(name));
    let files = manifests.into_iter().chain([project.file.clone()]);
    let files = files.map(|path| ("a file of the project", path));
    let schema = project.config_schema.iter();
    let schema = schema.map(|path| ("the schema", path.clone()));
    refuse_inputs(destination, files.chain(schema))?;
    refuse_wit_file(destination, &project.wit_directory.0)
}

/// The executables of a project, and the options of the user for the release.
struct Release {
    revision: Option<i32>,
    version: Option<String>,
    destination: Option<PathBuf>,
    deny_warnings: bool,
    keygen: bool,
    signing: SigningArgs,
    project: Project,
    built: Built,
}

/// An archive that was packed.
struct Packed {
    answer: Answer,
    archive: PathBuf,
}

impl Release {
    /// Packs the archive. Blocks.
    fn pack(self, session: &Session) -> Result<Packed> {
        let (project, built, signing) = (self.project, self.built, self.signing);
        let name = project.name.clone().or(built.name);
        let name = name.unwrap_or_else(|| built.binary.clone());
        let executables = built.executables.iter();
        let executables = executables.map(|made| (&made.target, made.path.as_path()));
        let binaries = BinaryArgs::of(executables, self.deny_warnings).read()?;
        let mut writer = ArchiveWriter::new(Metadata {
            name: Some(name.clone()),
            vendor: project.vendor.clone(),
            revision: Some(self.revision.unwrap_or(project.revision)),
            version: self.version.clone(),
            schema: project
                .config_schema
                .as_deref()
                .map(read_schema)
                .transpose()?,
            not_before: None,
            expires: None,
        });
        if let Some(world) = world(&project, session)? {
            writer.world(world);
        }
        let archive = self.destination.unwrap_or_else(|| {
            let file = format!("{}.{}", built.binary, Compression::Gzip.extension());
            project.build_directory.join(file)
        });
        binaries.refuse_as_destination(&archive)?;
        if let Some(directory) = archive.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the directory {}", path_text(directory)))?;
        }
        let packing = Packing {
            writer,
            binaries,
            name: name.clone(),
            destination: archive.clone(),
            compression: Compression::Gzip,
        };
        let answer = packing.write(&signing, self.keygen, session)?;
        let executables: Vec<Value> = built.executables.iter().map(executable_value).collect();
        Ok(Packed {
            answer: answer
                .field("name", name)
                .field("version", self.version)
                .field("executables", executables),
            archive,
        })
    }
}

/// Returns the value for an executable in a JSON answer.
fn executable_value(made: &Compiled) -> Value {
    json!({
        "target": made.target.as_str(),
        "platform": made.platform,
        "path": path_text(&made.path),
    })
}

/// Encodes the WIT directory of the project, if there is one. A directory that the project does not name may be
/// incomplete: `wash` ignores it then, too.
fn world(project: &Project, session: &Session) -> Result<Option<Vec<u8>>> {
    let (directory, is_named) = &project.wit_directory;
    if !is_named && !directory.is_dir() {
        return Ok(None);
    }
    match encode_world(directory) {
        Ok(world) => Ok(Some(world)),
        Err(error) if *is_named => bail!(error),
        Err(error) => {
            let reason = with_causes(&error);
            session.warn(&format!("the archive has no WIT world: {reason}"));
            Ok(None)
        }
    }
}
