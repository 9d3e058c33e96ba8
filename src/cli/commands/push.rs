//! `par push`

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Result;
use clap::ValueHint;

use crate::cli::arguments::{
    Argument, RegistryArgs, STANDARD_INPUT, TrustArgs, archive_path, standard_input,
};
use crate::cli::output::Answer;
use crate::cli::session::Session;

use super::pinned;

/// Verify an archive, push it to a registry, and print its reference by digest
///
/// The reference has the form `registry/repository@digest`: use it in deployments. Content that the registry
/// has already is not sent again, and the tag is set last.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par push ghcr.io/org/provider:1.0.0 provider.par.gz
  par push localhost:5000/provider:dev provider.par.gz -a org.opencontainers.image.source=URL")]
pub(crate) struct Args {
    /// The reference to push to
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// An annotation for the manifest. May be given several times. Default: only those that `par` sets
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference_before_file(&args.reference)?;
    let annotations: BTreeMap<String, String> = args.annotations.into_iter().collect();
    let trust = args.trust.policy().await?;
    let client = args.registry.client(session, trust).await?;
    let pushed = if args.archive == "-" {
        let input = standard_input()?;
        client
            .push_from(input, STANDARD_INPUT, &reference, &annotations)
            .await
    } else {
        let archive = archive_path(&args.archive);
        client.push(&archive, &reference, &annotations).await
    };
    let pushed = pushed.map_err(pinned::explain)?;
    Ok(pinned::pushed(&pushed.reference, &pushed.digest))
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
#[path = "tests/push.rs"]
mod tests;
