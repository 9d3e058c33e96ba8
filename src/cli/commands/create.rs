//! `par create`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::archive::{
    self, ArchiveWriter, Compression, KeyKind, Metadata, Signer, encode_world, from_unix,
};
use crate::cli::arguments::{
    Binaries, BinaryArgs, Date, SigningArgs, announce, default_account, destination,
    signed_archive, signing_at,
};
use crate::cli::output::Answer;
use crate::cli::schema::read_schema;
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::{AtomicFile, Step};

/// Pack executables for any number of targets into a signed archive, and print its path
///
/// Missing keys are generated and written to the directories for keys.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par create -n Key-value -v Example -b build/provider --compress
  par create -n Key-value -v Example -b x86_64-linux=build/x86 -b aarch64-linux=build/arm \\
      --revision 3 --version 1.2.0 --destination provider.par.gz --compress")]
pub(crate) struct Args {
    /// The provider's name, for people
    #[arg(short, long, value_name = "NAME")]
    name: String,
    /// The provider's vendor, for people
    #[arg(short, long, value_name = "VENDOR")]
    vendor: String,
    #[command(flatten)]
    binaries: BinaryArgs,
    /// A number that grows with each release. Default: none
    #[arg(short, long, visible_alias = "rev", value_name = "NUMBER")]
    revision: Option<i32>,
    /// The provider's version, any text. Default: none
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// When the archive expires: a date such as `2027-01-31` or `2027-01-31T12:00:00Z`, a span after signing
    /// such as `30d`, or seconds since 1970. Default: never
    #[arg(long, value_name = "DATE")]
    expires: Option<Date>,
    /// When the archive becomes valid, in the same formats. Default: at once
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
    #[command(flatten)]
    signing: SigningArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || create(args, &session)).await
}

fn create(args: Args, session: &Session) -> Result<Answer> {
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

    let signed = args.signing.signed_at()?;
    let mut writer = ArchiveWriter::new(Metadata {
        name: Some(args.name),
        vendor: args.vendor,
        revision: args.revision,
        version: args.version,
        schema: args.schema.as_deref().map(read_schema).transpose()?,
        not_before: args.not_before.map(|date| from_unix(date.seconds(signed))),
        expires: args.expires.map(|date| from_unix(date.seconds(signed))),
    });
    writer.metadata().check_dates()?;
    for (target, input) in binaries.inputs() {
        writer.executable(target, input);
    }
    if let Some(directory) = args.wit_directory {
        writer.world(encode_world(&directory)?);
    }

    // Keys are generated last, so that a command that fails leaves no useless key behind. Only writing the
    // archive can still fail; whether its directory is writable is tried first.
    let write_error = |source| archive::Error::Write {
        path: destination.clone(),
        source,
    };
    drop(AtomicFile::create(&destination).map_err(write_error)?);
    let signer = signer(&args.signing, &binaries, session)?;
    let meter = session.progress().begin(Step::Packing, writer.total()?);
    let claims = writer.write(&destination, &signer, compression, meter.as_ref())?;
    let answer = signed_archive(&destination, &claims);
    Ok(binaries.warn(session, answer))
}

fn signer(options: &SigningArgs, binaries: &Binaries, session: &Session) -> Result<Signer> {
    let created = options.created()?;
    let default_issuer = KeyKind::Account.file_name(&default_account());
    let default_subject = match options.subject {
        Some(_) => String::new(),
        None => KeyKind::Service.file_name(&binaries.stem()?),
    };
    let issuer = |generate| options.key(KeyKind::Account, &default_issuer, generate);
    let subject = |generate| options.key(KeyKind::Service, &default_subject, generate);
    let generate = !options.disable_keygen;
    if generate {
        // Both keys are checked before one is generated: if one is malformed, the command fails.
        for found in [issuer(false), subject(false)] {
            match found {
                Ok(_) | Err(archive::Error::NoSuchKey { .. }) => {}
                Err(error) => bail!(error),
            }
        }
    }
    let (issuer, origin) = issuer(generate)?;
    announce(session, KeyKind::Account, &origin);
    let (subject, origin) = subject(generate)?;
    announce(session, KeyKind::Service, &origin);
    let signer = Signer::new(issuer, subject.public_key().parse()?)?;
    Ok(signing_at(signer, created))
}
