//! `par login`

use anyhow::Result;

use crate::cli::arguments::{PASSWORD_ON_COMMAND_LINE, RegistryArgs, RegistryName};
use crate::cli::output::terminal::TerminalSettings;
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::oci::{CredentialSource, Registries};

/// Check a user and a password with a registry, and store them
///
/// They are stored where `docker login` stores them: in Docker's `config.json`, or with the credential helper that it
/// names. --registry-config or `REGISTRY_AUTH_FILE` name another file. On a terminal, `par` asks for a missing user or
/// password.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
#[command(after_help = "\
Examples:
  par login ghcr.io
  par login ghcr.io -u USER --password-stdin < FILE")]
pub(crate) struct Args {
    /// The registry, such as `ghcr.io` or `localhost:5000`
    registry: RegistryName,
    #[command(flatten)]
    options: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let registry = args.registry.0;
    if args.options.credentials.on_command_line() {
        session.warn(PASSWORD_ON_COMMAND_LINE);
    }
    let credentials = args.options.credentials.clone();
    let source = CredentialSource {
        explicit: None,
        ..args.options.options(None).credentials
    };
    if credentials.asks() {
        source.check_keep(&registry, None).await?;
    }
    // This may wait for the user.
    let settings = TerminalSettings::keep();
    let (user, password) = detached(move || credentials.given_or_asked()).await?;
    drop(settings);
    let given = Some((user.clone(), password.clone()));
    // This is checked before the password is sent: a login that cannot be stored is of no use.
    source.check_keep(&registry, given.clone()).await?;
    let options = args.options.options(given);
    if !Registries::new(options)?.log_in(&registry).await? {
        session.warn(&format!(
            "{registry} needs no credentials, and has not checked the password"
        ));
    }
    let kept = source.keep(&registry, &user, &password).await?;
    let path = path_text(&kept.path);
    if kept.helper.is_none() {
        session.warn(&format!(
            "the password is stored unencrypted in {path}; a credential helper is safer: see \
             https://docs.docker.com/go/credential-store/"
        ));
    }
    let place = kept.helper.as_ref().unwrap_or(&path);
    let text = format!("logged in to {registry} as {user}; the password is in {place}");
    Ok(Answer::lines([text])
        .field("registry", registry)
        .field("user", user)
        .field("file", path)
        .field("helper", kept.helper))
}
