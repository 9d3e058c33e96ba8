//! `par tags`

use anyhow::{Result, bail};
use wasmcloud_par::client::TrustPolicy;
use wasmcloud_par::oci::Place;

use super::escape;
use super::output::Answer;
use super::problem::Failure;
use super::registry::RegistryArgs;
use super::session::Session;

/// List the tags of a repository, a line for each
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
pub(crate) struct Args {
    /// The repository, such as ghcr.io/org/provider
    #[arg(value_name = "REPOSITORY")]
    place: Place,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let place = args.place;
    let Some(repository) = place.reference() else {
        bail!(
            Failure::usage(format!(
                "{place} is a registry, and tags are in repositories"
            ))
            .hint(format!("name one: {place}/REPOSITORY"))
        );
    };
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let tags = client.tags(repository).await?;
    let text: String = tags
        .iter()
        .map(|tag| format!("{}\n", escape::line(tag)))
        .collect();
    Ok(Answer::new(text)
        .field("repository", place.to_string())
        .field("tags", tags))
}
