//! `par trust`

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::cli::arguments::{RegistryArgs, TrustArgs, require_repository};
use crate::cli::output::{Answer, Failure, escape};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::pin_name;
use crate::content::ErrorKind;
use crate::oci::Place;

/// Show and change who repositories are pinned to
///
/// `par fetch` pins a repository to the issuer and the subject of what it fetches first from there, and
/// takes no others from then on. Pins are in the cache folder. What may be fetched at all, a trust policy
/// says: see docs/trust.md.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the repositories that are pinned: issuer, subject, and since when
    List,
    /// Verify an archive, and pin its repository to who published it: another issuer, another subject or a
    /// lower revision than before
    Accept(Box<Accepting>),
    /// Forget who a repository is pinned to: what is fetched next pins it again
    Forget {
        /// The repository, such as ghcr.io/org/provider
        #[arg(value_name = "REGISTRY/REPOSITORY")]
        place: Place,
    },
}

#[derive(clap::Args)]
struct Accepting {
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
    blocking(move || {
        let cache = session.existing_cache()?;
        let identities = cache.map_or_else(|| Ok(BTreeMap::new()), |cache| cache.identities())?;
        let mut text = String::new();
        let mut fields = Vec::new();
        for (place, identity) in &identities {
            let (issuer, subject) = (&identity.issuer, &identity.subject);
            let line = format!("{place}  {issuer}  {subject}  since {}", identity.date());
            text.push_str(&format!("{}\n", escape::line(&line)));
            fields.push(json!({
                "repository": place,
                "issuer": issuer,
                "service": subject,
                "since": identity.since,
                "revisions": identity.revisions,
            }));
        }
        Ok(Answer::new(text).field("identities", Value::Array(fields)))
    })
    .await
}

async fn accept(args: Accepting, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    let policy = args.trust.policy().await?;
    let client = args.registry.client(session, policy).await?;
    let claims = client.accept(&reference).await?;
    let (issuer, subject) = (claims.issuer(), claims.subject());
    let text = format!("{reference} is accepted: issuer {issuer}, subject {subject}");
    Ok(Answer::new(escape::line(&text))
        .field("issuer", issuer)
        .field("service", subject)
        .field("revision", claims.revision()))
}

async fn forget(place: Place, session: &Session) -> Result<Answer> {
    let repository = require_repository(&place, "and only repositories are pinned")?;
    let (name, session) = (pin_name(repository), session.clone());
    blocking(move || {
        let forget = |cache: Cache| cache.forget_identity(&name);
        if !session.existing_cache()?.map_or(Ok(false), forget)? {
            bail!(
                Failure::new(ErrorKind::NotFound, format!("{name} is not pinned"))
                    .hint("`par trust list` lists what is")
            );
        }
        let text = format!("{name} is not pinned any more");
        Ok(Answer::new(text).field("repository", name))
    })
    .await
}
