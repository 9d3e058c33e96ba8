//! `par login`

use anyhow::Result;

use crate::cli::arguments::{PASSWORD_ON_COMMAND_LINE, RegistryArgs, RegistryName};
use crate::cli::output::{Answer, escape, path_text};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::oci::{CredentialSource, Registries};

/// Store a user and a password for a registry, once the registry has taken them
///
/// They are stored where `docker login` stores them, in Docker's `config.json` or with the credential
/// helper that it names, or else in the file that --registry-config or `REGISTRY_AUTH_FILE` name. On a
/// terminal, what is missing is asked for.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
pub(crate) struct Args {
    /// The registry, such as `ghcr.io` or `localhost:5000`
    registry: RegistryName,
    #[command(flatten)]
    options: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let registry = args.registry.as_str().to_owned();
    if args.options.credentials().on_command_line() {
        session.warn(PASSWORD_ON_COMMAND_LINE);
    }
    let credentials = args.options.credentials().clone();
    // Waits for the user, perhaps.
    let (user, password) = detached(move || credentials.given_or_asked()).await?;
    let options = args.options.options(Some((user.clone(), password.clone())));
    let source = CredentialSource {
        explicit: None,
        ..options.credentials.clone()
    };
    if !Registries::new(options)?.log_in(&registry).await? {
        session.warn(&format!(
            "{registry} lets everybody in, and has not looked at the password"
        ));
    }
    let kept = source.keep(&registry, &user, &password).await?;
    let path = path_text(&kept.path);
    if kept.helper.is_none() {
        session.warn(&format!(
            "the password is stored unencrypted in {path}; a credential helper keeps it better: see \
             https://docs.docker.com/go/credential-store/"
        ));
    }
    let place = kept.helper.as_deref().unwrap_or(&path);
    let said = format!("logged in to {registry} as {user}; the password is in {place}");
    Ok(Answer::new(escape::line(&said))
        .field("registry", registry)
        .field("user", user)
        .field("file", path.clone())
        .field("helper", kept.helper))
}
