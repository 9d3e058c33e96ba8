//! `par trust`

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::json;

use crate::cli::arguments::{RegistryArgs, TrustArgs, require_repository};
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::pin_name;
use crate::content::ErrorKind;
use crate::oci::Place;

/// Show and change the pins of repositories
///
/// The first `par fetch` from a repository pins it to the issuer and the subject of the archive. From then
/// on, archives with others are refused. Pins are stored in the directory of the cache. A trust policy decides
/// what may be fetched at all: see docs/trust.md.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  par trust list
  par trust accept ghcr.io/org/provider:2.0.0
  par trust forget ghcr.io/org/provider")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the pinned repositories with issuer, subject and date
    #[command(after_help = "Examples:\n  par trust list -o json")]
    List,
    /// Verify an archive, and pin its repository to its issuer, its subject and its revision
    ///
    /// They may be others than before, and the revision may be lower.
    #[command(after_help = "Examples:\n  par trust accept ghcr.io/org/provider:2.0.0")]
    Accept(Box<AcceptArgs>),
    /// Remove the pin of a repository: the next fetch pins it again
    #[command(after_help = "Examples:\n  par trust forget ghcr.io/org/provider")]
    Forget {
        /// The repository, such as ghcr.io/org/provider
        #[arg(value_name = "REGISTRY/REPOSITORY")]
        place: Place,
    },
}

#[derive(clap::Args)]
struct AcceptArgs {
    /// The archive to accept
    #[arg(value_name = "REF")]
    reference: OsString,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    match args.command {
        Command::List => list(session).await,
        Command::Accept(args) => accept(*args, session).await,
        Command::Forget { place } => forget(place, session).await,
    }
}

async fn list(session: &Session) -> Result<Answer> {
    let session = session.clone();
    let identities = blocking(move || session.in_existing_cache(|cache| cache.identities()));
    let (mut lines, mut fields) = (Vec::new(), Vec::new());
    for (place, identity) in identities.await? {
        let (issuer, subject) = (&identity.issuer, &identity.subject);
        lines.push(format!(
            "{place}  {issuer}  {subject}  since {}",
            identity.date()
        ));
        fields.push(json!({
            "repository": place,
            "issuer": issuer,
            "service": subject,
            "since": identity.date(),
            "revisions": identity.revisions,
        }));
    }
    Ok(Answer::lines(lines).field("identities", fields))
}

async fn accept(args: AcceptArgs, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let policy = args.trust.policy().await?;
    let client = args.registry.client(session, policy).await?;
    let claims = client.accept(&reference).await?;
    let (issuer, subject) = (claims.issuer().as_str(), claims.subject().as_str());
    let text = format!("{reference} is accepted: issuer {issuer}, subject {subject}");
    Ok(Answer::lines([text])
        .field("issuer", issuer)
        .field("service", subject)
        .field("revision", claims.revision()))
}

async fn forget(place: Place, session: &Session) -> Result<Answer> {
    let repository = require_repository(&place, "and only repositories are pinned")?;
    let (name, session) = (pin_name(repository), session.clone());
    blocking(move || {
        if !session.in_existing_cache(|cache| cache.forget_identity(&name))? {
            bail!(
                Failure::new(ErrorKind::NotFound, format!("{name} is not pinned"))
                    .hint("list the pinned repositories with `par trust list`")
            );
        }
        let text = format!("{name} is no longer pinned");
        Ok(Answer::new(text).field("repository", name))
    })
    .await
}
