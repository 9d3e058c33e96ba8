//! `par tags`

use anyhow::{Error, Result, bail};
use bytesize::ByteSize;
use serde_json::{Value, json};

use crate::cli::arguments::{RegistryArgs, place, refuse_existing_file, require_whole_repository};
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::cli::versions::{compare, is_digest_tag};
use crate::client::{self, TagDetails, TrustPolicy};
use crate::content::ErrorKind;
use crate::oci::{self, Place, Reference};

/// List the tags of a repository or an OCI image layout, or the repositories of a registry, one per line
///
/// Versions come last, in their order: 1.9.0 before 1.10.0-rc1, and that before 1.10.0. Tags that tools use to
/// attach signatures and other content, such as `sha256-….sig`, are left out.
///
/// For a registry without a repository, the repositories are listed. Many registries have no such list, or show it only
/// to administrators.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true))
)]
#[command(after_help = "\
Examples:
  par tags ghcr.io/org/provider
  par tags ghcr.io/org/provider --long
  par tags oci-layout://mirror
  par tags registry.example.com")]
pub(crate) struct Args {
    /// The repository, such as ghcr.io/org/provider, the layout, oci-layout://DIR or oci-archive://FILE.tar, or a
    /// registry, such as registry.example.com
    #[arg(value_name = "REPOSITORY|REGISTRY")]
    repository: String,
    /// Show the digest, the size, the time of signing and the version of each tag. Requests each manifest
    #[arg(short, long)]
    long: bool,
    /// Also list the tags that attach content to a digest
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let (name, reference) = match Listed::parse(&args.repository)? {
        Listed::Tags(name, reference) => (name, reference),
        Listed::Repositories(place) => return repositories(&args, &place, session).await,
    };
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let mut tags = client.tags(&reference).await?;
    if !args.all {
        tags.retain(|tag| !is_digest_tag(tag));
    }
    tags.sort_by(|one, other| compare(one, other));
    if !args.long {
        return Ok(Answer::lines(&tags)
            .field("repository", name)
            .field("tags", tags));
    }
    let details = client.tag_details(&reference, &tags).await?;
    Ok(Answer::lines(table(&details))
        .field("repository", name)
        .field("tags", tags)
        .field("details", details.iter().map(to_json).collect::<Value>()))
}

/// Lists the repositories of a registry.
async fn repositories(args: &Args, place: &Place, session: &Session) -> Result<Answer> {
    if args.long {
        let message = format!("{place} is a registry, and --long shows details of tags");
        let hint = format!("name a repository: {place}/REPOSITORY");
        bail!(Failure::usage(message).hint(hint));
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let repositories = client.repositories(place).await;
    let repositories = repositories.map_err(explain)?;
    Ok(Answer::lines(&repositories)
        .field("registry", place.registry())
        .field("repositories", repositories))
}

/// Adds a hint to the error of a registry that does not list its repositories.
fn explain(error: client::Error) -> Error {
    let kind = error.kind();
    let is_refusal = matches!(
        &error,
        client::Error::Oci(oci::Error::Refused { answer, .. }) if matches!(answer.status, 400 | 405 | 501)
    );
    let (kind, message) = match kind {
        _ if is_refusal || kind == ErrorKind::NotFound => (
            ErrorKind::NotFound,
            "the registry has no list of its repositories",
        ),
        ErrorKind::Denied => (
            kind,
            "the registry does not list its repositories for this user",
        ),
        _ => return error.into(),
    };
    let hint = "many registries, such as GHCR and Docker Hub, have no such list, or show it only to administrators; \
                name a repository: REGISTRY/REPOSITORY";
    Error::new(error).context(Failure::new(kind, message).hint(hint))
}

/// The place whose tags or repositories are listed.
enum Listed {
    /// The tags of a repository or a layout: its name, without tag and digest, and a reference in it.
    Tags(String, Reference),
    /// The repositories of a registry.
    Repositories(Place),
}

impl Listed {
    fn parse(written: &str) -> Result<Self> {
        if let Ok(Reference::Layout(layout)) = written.parse() {
            let name = layout.whole().to_string();
            if layout.tag().is_some() || layout.digest().is_some() {
                let message = format!("{layout} names a manifest, not an image layout");
                bail!(Failure::usage(message).hint(format!("name the layout: {name}")));
            }
            return Ok(Self::Tags(name, Reference::Layout(layout)));
        }
        if written.ends_with(".tar") {
            let hint = format!("write oci-archive://{written} for an image layout in a file");
            refuse_existing_file(written.as_ref(), &hint)?;
        }
        let place = place(written)?;
        if place.reference().is_none() {
            return Ok(Self::Repositories(place));
        }
        let repository = require_whole_repository(&place, "and only repositories have tags")?;
        let repository = Reference::Registry(repository.clone());
        Ok(Self::Tags(place.to_string(), repository))
    }
}

/// Returns a line for each tag, in columns.
fn table(details: &[TagDetails]) -> Vec<String> {
    let rows = details.iter().map(|tag| {
        let size = tag
            .size
            .map(|size| ByteSize(size).display().si().to_string());
        let signed = tag
            .signed
            .map(|time| humantime::format_rfc3339_seconds(time).to_string());
        [
            tag.tag.clone(),
            tag.digest.to_string(),
            size.unwrap_or_else(|| "-".to_owned()),
            signed.unwrap_or_else(|| "-".to_owned()),
            tag.version.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    let rows: Vec<[String; 5]> = rows.collect();
    let width = |column: fn(&[String; 5]) -> &String| {
        rows.iter()
            .map(|row| column(row).chars().count())
            .max()
            .unwrap_or_default()
    };
    let (tags, sizes) = (width(|row| &row[0]), width(|row| &row[2]));
    let (digests, times) = (width(|row| &row[1]), width(|row| &row[3]));
    let lines = rows.iter().map(|[tag, digest, size, signed, version]| {
        format!("{tag:tags$}  {digest:digests$}  {size:>sizes$}  {signed:times$}  {version}")
    });
    lines.collect()
}

fn to_json(tag: &TagDetails) -> Value {
    let signed = tag
        .signed
        .map(|time| humantime::format_rfc3339_seconds(time).to_string());
    json!({
        "tag": tag.tag,
        "digest": tag.digest.to_string(),
        "size": tag.size,
        "signed": signed,
        "version": tag.version,
    })
}
