//! `par logout`

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;

use crate::cli::arguments::RegistryName;
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::oci::{self, CredentialSource, Credentials};

/// Remove the stored credentials for a registry
///
/// They are removed from the place where `par login` stores them. It is not an error if there are none.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  par logout ghcr.io")]
pub(crate) struct Args {
    /// The registry, such as `ghcr.io` or `localhost:5000`
    registry: RegistryName,
    /// The file to remove them from. Default: `$REGISTRY_AUTH_FILE`, else Docker's `config.json`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    registry_config: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let registry = &args.registry.0;
    let source = CredentialSource {
        explicit: None,
        registry_config: args.registry_config,
        ..CredentialSource::default()
    };
    let removed = source.forget(registry).await?;
    let other = match source.find(registry, "").await {
        // The helper was asked before to remove its credentials, so its failure here does not matter.
        Err(oci::Error::CredentialHelper { .. }) => Credentials::Anonymous,
        other => other?,
    };
    if other != Credentials::Anonymous {
        session.warn(&format!(
            "there are other credentials for {registry}, in an environment variable or in a file of Podman's"
        ));
    }
    let text = match &removed {
        Some(kept) => {
            let path = path_text(&kept.path);
            let place = kept.helper.as_deref().unwrap_or(&path);
            format!("removed the credentials for {registry} from {place}")
        }
        None => format!("nothing is stored for {registry}"),
    };
    Ok(Answer::lines([text])
        .field("registry", registry.as_str())
        .field("removed", removed.is_some()))
}
