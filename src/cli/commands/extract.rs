//! `par extract`

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;

use crate::archive::{RequestedTarget, Target};
use crate::cli::arguments::{
    Argument, RegistryArgs, Source, TrustArgs, destination, refuse_inputs,
};
use crate::cli::output::Answer;
use crate::cli::session::Session;

/// Write one executable of an archive to a file, and print its path
///
/// The file is written only if its hash is the one in the verified claims. From a file with an index, as
/// `par create --compress` writes it, only this executable is read. Any other file, and an archive behind a
/// reference, is verified completely first.
///
/// A trust policy that is given with --trust or PAR_TRUST applies to a file as for `par verify`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par extract provider.par.gz --target aarch64-linux
  par extract ghcr.io/org/provider:1.0.0 --destination provider")]
pub(crate) struct Args {
    /// The archive
    #[arg(value_name = "FILE|REF", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// The target of the executable. Default: the target of this machine
    #[arg(long, value_name = "TARGET")]
    target: Option<RequestedTarget>,
    /// The file to write; an existing file is replaced. Default: `{name of the archive}-{target}`, with
    /// `.exe` for Windows, in the current directory
    #[arg(long, value_name = "FILE", value_parser = destination())]
    destination: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let source = Source::parse(&args.archive, &args.registry)?;
    let requested = args.target.unwrap_or_else(|| (&Target::host()).into());
    if let Some(destination) = &args.destination {
        source.refuse_as_destination(destination)?;
        let inputs = [args.trust.inputs(), args.registry.inputs()];
        refuse_inputs(destination, inputs.concat())?;
    }
    let (given, stem) = (args.destination, source.stem());
    let destination = move |target: &Target| {
        let default = || PathBuf::from(file_name(&stem, target));
        given.clone().unwrap_or_else(default)
    };
    let trust = args.trust.policy().await?;
    let (by_rules, registry) = (args.trust.is_named(), &args.registry);
    let place = destination.clone();
    let claims = source
        .extract(&requested, place, trust, by_rules, registry, session)
        .await?;
    let target = requested.among(claims.executables());
    let digest = claims.executable(target)?.to_string();
    Ok(Answer::file(&destination(target))
        .field("target", target.as_str())
        .field("digest", digest)
        .field("issuer", claims.issuer().as_str())
        .field("service", claims.subject().as_str()))
}

fn file_name(stem: &str, target: &Target) -> String {
    let is_windows = target.as_str().ends_with("-windows");
    let extension = if is_windows { ".exe" } else { "" };
    format!("{stem}-{target}{extension}")
}

#[cfg(test)]
#[path = "tests/extract.rs"]
mod tests;
