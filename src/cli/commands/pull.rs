//! `par pull`

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;

use crate::cli::arguments::{
    LockArgs, PullArgs, RegistryArgs, TrustArgs, destination, layout_files, refuse_inputs,
};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::content::Digest;

/// Pull an archive, verify it, write it to a file, and print the path of the file
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par pull ghcr.io/org/provider:1.0.0
  par pull ghcr.io/org/provider:1.0.0 --destination archives/")]
pub(crate) struct Args {
    /// The archive to pull
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The file to write, or the directory to write it to; an existing file is replaced. Default:
    /// `{last part of the repository}.par`, or `.par.gz` if it is compressed, in the current directory
    #[arg(long, value_name = "FILE", value_parser = destination())]
    destination: Option<PathBuf>,
    /// The digest that the manifest must have. Default: the one in REF, else any
    #[arg(short, long, value_name = "DIGEST")]
    digest: Option<Digest>,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    pull: PullArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let pinned = args.digest.is_some() || args.lock.is_given();
    let reference = args.registry.reference(&args.reference, pinned)?;
    if let Some(destination) = &args.destination {
        let options = [
            args.trust.inputs(),
            args.lock.inputs(),
            args.registry.inputs(),
        ];
        let inputs = options.into_iter().flatten();
        refuse_inputs(destination, inputs.chain(layout_files(&reference)))?;
    }
    let trust = args.trust.policy().await?;
    let policy = args.pull.policy()?;
    let client = args.registry.client(session, trust).await?;
    let client = client.with_pull_policy(policy);
    let client = args.lock.restrict(client).await?;
    let pulled = client
        .pull(
            &reference,
            args.destination.as_deref(),
            args.digest.as_ref(),
        )
        .await
        .map_err(|error| args.lock.explain(error))?;
    Ok(Answer::file(&pulled.path)
        .field("digest", pulled.digest.to_string())
        .field("reference", reference.pinned(&pulled.digest)))
}
