//! `par tags`

use anyhow::Result;

use crate::cli::arguments::{RegistryArgs, require_repository};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::client::TrustPolicy;
use crate::oci::{Place, Reference};

/// List the tags of a repository or an OCI image layout, one per line
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
#[command(after_help = "\
Examples:
  par tags ghcr.io/org/provider
  par tags oci-layout://mirror")]
pub(crate) struct Args {
    /// The repository, such as ghcr.io/org/provider, or the layout: oci-layout://DIR
    #[arg(value_name = "REPOSITORY")]
    repository: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let (name, reference) = repository(&args.repository)?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let tags = client.tags(&reference).await?;
    Ok(Answer::lines(&tags)
        .field("repository", name)
        .field("tags", tags))
}

/// Returns the name of a repository or a layout, without tag and digest, and a reference in it.
fn repository(written: &str) -> Result<(String, Reference)> {
    if let Ok(Reference::Layout(layout)) = written.parse() {
        let name = format!("oci-layout://{}", layout.directory().display());
        return Ok((name, Reference::Layout(layout)));
    }
    let place: Place = written.parse()?;
    let repository = require_repository(&place, "and only repositories have tags")?;
    Ok((place.to_string(), Reference::Registry(repository.clone())))
}
