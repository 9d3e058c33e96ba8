//! `par push`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::cli::arguments::{
    Argument, RegistryArgs, STANDARD_INPUT, TrustArgs, archive_path, standard_input,
};
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::client::PushOptions;

use super::{pinned, rotation};

/// Verify an archive, push it to a registry, and print its reference by digest
///
/// The reference has the form `registry/repository@digest`: use it in deployments. Content that the registry
/// has already is not sent again, and the tags are set last. A tag that names another manifest is moved, which is
/// reported.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par push ghcr.io/org/provider:1.0.0 provider.par.gz
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --if-absent
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --tag 1.2 --tag 1
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --rotation rotation.jwt
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
    /// Another tag to give to the archive, such as `1.2`. May be given several times. Default: only the tag of the
    /// reference
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Fail if one of the tags names another manifest already, instead of moving it
    #[arg(long)]
    if_absent: bool,
    /// A file with the statement of a former issuer, which `par keys rotate` writes: hosts that have pinned that
    /// issuer accept the new one by it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rotation: Option<PathBuf>,
    /// Verify the archive and print the reference that it would get, but send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let is_tagged = !args.tags.is_empty();
    let reference = args
        .registry
        .reference_before_file(&args.reference, is_tagged)?;
    let command = format!("par push {reference} FILE --tag");
    for tag in &args.tags {
        args.registry.settle_new_tag(&reference, tag, &command)?;
    }
    let mut options = PushOptions::default()
        .if_absent(args.if_absent)
        .dry_run(args.dry_run);
    options.annotations = unique(args.annotations)?;
    options.tags = args.tags;
    options.rotation = match args.rotation {
        Some(path) => Some(rotation::read(path).await?),
        None => None,
    };
    let trust = args.trust.policy().await?;
    let client = args.registry.client(session, trust).await?;
    let pushed = if args.archive == "-" {
        let input = standard_input()?;
        client
            .push_from(input, STANDARD_INPUT, &reference, options)
            .await
    } else {
        let archive = archive_path(&args.archive);
        client.push(&archive, &reference, options).await
    };
    let pushed = pushed.map_err(pinned::explain)?;
    pinned::tell_moved(session, &pushed.tags, &pushed.digest);
    if args.dry_run {
        session.note("nothing was sent: this is a dry run");
    }
    Ok(pinned::pushed(&pushed.reference, &pushed.digest)
        .field("tags", pinned::tags(&pushed.tags))
        .field("dry_run", args.dry_run))
}

/// Returns the annotations by key. The same key twice is an error.
fn unique(annotations: Vec<(String, String)>) -> Result<BTreeMap<String, String>> {
    let mut unique = BTreeMap::new();
    for (key, value) in annotations {
        if unique.contains_key(&key) {
            let message = format!("the annotation `{key}` is given twice");
            bail!(Failure::usage(message).hint("give each annotation once"));
        }
        unique.insert(key, value);
    }
    Ok(unique)
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
