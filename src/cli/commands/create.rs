//! `par create`

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;

use crate::archive::{ArchiveWriter, Compression, Metadata, encode_world, from_unix};
use crate::cli::arguments::{
    BinaryArgs, Date, SigningArgs, destination, refuse_inputs, refuse_wit_file,
};
use crate::cli::output::Answer;
use crate::cli::schema::read_schema;
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};

use super::packing::Packing;

/// Pack executables for any number of targets into a signed archive, and print its path
///
/// Missing keys are generated and written to the directories for keys, which is reported. Where `CI` is set, a missing
/// key is an error: a generated key would be lost with the runner, and the next release would have another publisher.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par create -n Key-value -v Example -b build/provider --compress
  par create -n Key-value -v Example -b x86_64-linux=build/x86 -b aarch64-linux=build/arm \\
      --revision 3 --version 1.2.0 --destination provider.par.gz --compress")]
pub(crate) struct Args {
    /// The provider's name, for people
    #[arg(short, long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The provider's vendor, for people
    #[arg(short, long, value_name = "VENDOR", value_parser = NonEmptyStringValueParser::new())]
    vendor: String,
    #[command(flatten)]
    binaries: BinaryArgs,
    /// A number that grows with each release. Default: none
    #[arg(short, long, visible_alias = "rev", value_name = "NUMBER")]
    revision: Option<i32>,
    /// The provider's version, any text. Default: none
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    version: Option<String>,
    /// When the archive expires: a date such as `2027-01-31` or `2027-01-31T12:00:00Z`, a span after signing
    /// such as `30d`, or seconds since 1970. Default: never
    #[arg(long, value_name = "DATE")]
    expires: Option<Date>,
    /// When the archive becomes valid, in the formats of --expires. Default: at once
    #[arg(long, value_name = "DATE")]
    not_before: Option<Date>,
    /// A file with a JSON schema of the provider's configuration. Its draft is the one that `$schema`
    /// names, else 2020-12. References to other files are not fetched. Default: none
    #[arg(
        short = 'j',
        long,
        env = "WASH_JSON_SCHEMA",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
    schema: Option<PathBuf>,
    /// A directory with the WIT package whose world the provider implements. Default: none
    #[arg(
        long,
        env = "WIT_DIR",
        value_name = "DIR",
        value_hint = ValueHint::DirPath
    )]
    wit_directory: Option<PathBuf>,
    /// Compress the archive with gzip. Default: a plain tar
    #[arg(long)]
    compress: bool,
    /// The archive to write, with exactly this name; an existing file is replaced. Default:
    /// `{name of the first binary}.par`, or `.par.gz` if it is compressed, in the current directory
    #[arg(long, value_name = "FILE", value_parser = destination())]
    destination: Option<PathBuf>,
    /// Generate missing keys also where `CI` is set
    #[arg(long, conflicts_with = "disable_keygen")]
    keygen: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    args.signing = args.signing.read_streams().await?;
    let schema = args.schema.clone();
    // The schema may come from standard input, too.
    let schema = detached(move || schema.as_deref().map(read_schema).transpose()).await?;
    let session = session.clone();
    blocking(move || create(args, schema, &session)).await
}

fn create(args: Args, schema: Option<Value>, session: &Session) -> Result<Answer> {
    let binaries = args.binaries.read()?;
    let compression = if args.compress {
        Compression::Gzip
    } else {
        Compression::None
    };
    let destination = match args.destination {
        Some(destination) => destination,
        None => PathBuf::from(format!("{}.{}", binaries.stem()?, compression.extension())),
    };
    binaries.refuse_as_destination(&destination)?;
    refuse_inputs(&destination, args.schema.map(|path| ("the schema", path)))?;
    if let Some(directory) = &args.wit_directory {
        refuse_wit_file(&destination, directory)?;
    }

    let signed = args.signing.signed_at()?;
    let mut writer = ArchiveWriter::new(Metadata {
        name: Some(args.name.clone()),
        vendor: args.vendor,
        revision: args.revision,
        version: args.version,
        schema,
        not_before: args.not_before.map(|date| from_unix(date.seconds(signed))),
        expires: args.expires.map(|date| from_unix(date.seconds(signed))),
    });
    writer.metadata().check_dates()?;
    if let Some(directory) = args.wit_directory {
        writer.world(encode_world(&directory)?);
    }

    let packing = Packing {
        writer,
        binaries,
        name: args.name,
        destination,
        compression,
    };
    packing.write(&args.signing, args.keygen, session)
}
