//! `par discover`

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;

#[cfg(feature = "sigstore")]
use crate::cli::arguments::trusted_root;
use crate::cli::arguments::{RegistryArgs, destination, layout_files, refuse_inputs};
use crate::cli::output::{Answer, Failure, bytes, escape};
use crate::cli::session::Session;
#[cfg(feature = "sigstore")]
use crate::client::sigstore::SigstoreRoot;
use crate::client::{
    Client, Discovered, DiscoveredFile, DiscoveredManifest, Relation, TrustPolicy,
};
use crate::content::{Digest, ErrorKind};

use super::discovered::{lines, manifest_json};

/// The largest content that is printed, in bytes.
const PRINTED: u64 = 16 << 20;
/// How many choices an error lists.
const CHOICES: usize = 20;

/// Show what is attached to a manifest, such as signatures and bills of materials, or fetch one attachment
///
/// The tree has the attachments of the manifest of REF, the manifests of an index with their attachments, and
/// attachments of attachments. Each line has the digest, the type, the size and the time of an attachment and the name
/// of its file. Attachments of older tools, which have tags such as `sha256-….sig`, are marked with their tags.
///
/// Everybody who may push to the repository can attach content.
#[cfg_attr(
    feature = "sigstore",
    doc = "Each Sigstore bundle is verified, and its line names the identity that signed it, or the reason why it does \
           not verify. You decide whether that identity is trusted: see `par verify --identity`."
)]
#[cfg_attr(
    not(feature = "sigstore"),
    doc = "This `par` is built without the feature `sigstore`, so it verifies no Sigstore bundles."
)]
///
/// With --get, print the content of one attachment, or write it to a file, after its digest is verified.
#[derive(clap::Args)]
#[command(mut_arg("connections", |argument| argument.hide(true)))]
#[command(after_help = "\
Examples:
  par discover ghcr.io/org/provider:1.0.0
  par discover ghcr.io/org/provider:1.0.0 --type application/vnd.cyclonedx+json
  par discover ghcr.io/org/provider:1.0.0 --get --type application/vnd.cyclonedx+json
  par discover ghcr.io/org/provider:1.0.0 --get --type application/vnd.cyclonedx+json --destination provider.cdx.json")]
pub(crate) struct Args {
    /// The manifest
    #[arg(value_name = "REF")]
    reference: OsString,
    /// Show only attachments of this type, and the manifests that they are attached to. Default: all
    #[arg(long = "type", visible_alias = "artifact-type", value_name = "TYPE")]
    artifact_type: Option<String>,
    /// Fetch one attachment: the one with this digest, or with a file of this digest. Without DIGEST, fetch the only
    /// attachment of the type that --type names; attachments with the same files count as one. Default: the tree is
    /// shown
    #[arg(long, value_name = "DIGEST", num_args = 0..=1)]
    get: Option<Option<Digest>>,
    /// The file to write the attachment to; an existing file is replaced. Default: the content is printed
    #[arg(
        long,
        value_name = "FILE",
        requires = "get",
        value_hint = ValueHint::FilePath,
        value_parser = destination()
    )]
    destination: Option<PathBuf>,
    /// The instance of Sigstore whose bundles are accepted: `public`, `github`, or a file `trusted_root.json`. Default:
    /// both public and github
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(
        long,
        value_name = "FILE|NAME",
        conflicts_with = "get",
        value_hint = ValueHint::FilePath
    )]
    trusted_root: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Verifies the Sigstore bundles.
#[cfg(feature = "sigstore")]
async fn verify(
    client: &Client,
    discovered: Discovered,
    root: Option<PathBuf>,
) -> Result<Discovered> {
    let roots = match root {
        Some(root) => vec![trusted_root(root)],
        None => vec![SigstoreRoot::Public, SigstoreRoot::GitHub],
    };
    Ok(client.verify_bundles(discovered, &roots).await?)
}

/// Verifies no bundle, because the program is built without the feature `sigstore`.
#[cfg(not(feature = "sigstore"))]
#[allow(
    clippy::unused_async,
    reason = "with the feature, bundles are requested"
)]
async fn verify(_: &Client, discovered: Discovered, root: Option<PathBuf>) -> Result<Discovered> {
    if root.is_some() {
        let message = "--trusted-root needs a program that is built with the feature `sigstore`";
        let hint = "use a `par` that was built with `--features sigstore`";
        bail!(Failure::usage(message).hint(hint));
    }
    Ok(discovered)
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    if let (Some(None), None) = (&args.get, &args.artifact_type) {
        bail!(
            Failure::usage("--get names neither a digest nor a type")
                .hint("add the digest of an attachment, or its type with --type")
        );
    }
    if let Some(destination) = &args.destination {
        let inputs = args.registry.inputs().into_iter();
        refuse_inputs(destination, inputs.chain(layout_files(&reference)))?;
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let mut discovered = client.discover(&reference).await?;
    if let Some(digest) = args.get {
        let wanted = Wanted {
            discovered: &discovered,
            digest: digest.as_ref(),
            artifact_type: args.artifact_type.as_deref(),
        };
        return get(&client, wanted, args.destination, session).await;
    }
    if let Some(artifact_type) = &args.artifact_type {
        discovered = discovered.of_type(artifact_type);
    }
    discovered = verify(&client, discovered, args.trusted_root).await?;
    let root = &discovered.root;
    if root.manifests.is_empty() {
        session.note(&match &args.artifact_type {
            Some(artifact_type) => format!("nothing of the type {artifact_type} is attached"),
            None => "nothing is attached".to_owned(),
        });
    }
    let mut answer = Answer::lines(lines(&discovered));
    for (name, value) in manifest_json(root) {
        answer = answer.field(&name, value);
    }
    let pinned = reference.pinned(&root.manifest.digest);
    Ok(answer
        .field("reference", pinned)
        .field("complete", discovered.complete))
}

/// Prints the content of one attachment, or writes it to a file.
async fn get(
    client: &Client,
    wanted: Wanted<'_>,
    destination: Option<PathBuf>,
    session: &Session,
) -> Result<Answer> {
    let (found, file) = wanted.find()?;
    let (reference, content) = (&wanted.discovered.reference, &file.content);
    let (answer, field) = match destination {
        Some(destination) => {
            let saved = client.save_attachment(reference, content, &destination);
            saved.await?;
            (Answer::file(&destination), None)
        }
        None => {
            let printed = client.read_attachment(reference, content, PRINTED).await?;
            let text = std::str::from_utf8(&printed).ok().map(str::to_owned);
            let is_terminal = stdout().is_terminal();
            if text.is_none() && (session.prints_json() || is_terminal) {
                let message = format!("the content {} is not text", content.digest);
                bail!(Failure::usage(message).hint("write it to a file with --destination"));
            }
            let answer = match &text {
                // Escape sequences in the attachment must not reach the terminal, which would execute them.
                Some(text) if is_terminal => Answer::new(escape::lines(text)),
                _ => Answer::exactly(printed),
            };
            (answer, text)
        }
    };
    let answer = match field {
        Some(text) => answer.field("content", text),
        None => answer,
    };
    let digest = &found.manifest.digest;
    Ok(answer
        .field("reference", reference.pinned(digest))
        .field("digest", digest.to_string())
        .field("artifact_type", found.kind())
        .field("media_type", content.media_type.as_str())
        .field("content_digest", content.digest.to_string())
        .field("size", content.size)
        .field("title", file.title.as_deref()))
}

/// The attachment that the user wants.
struct Wanted<'a> {
    discovered: &'a Discovered,
    digest: Option<&'a Digest>,
    artifact_type: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Returns the attachment and its file. Fails if several attachments or several files are possible.
    fn find(&self) -> Result<(&'a DiscoveredManifest, &'a DiscoveredFile)> {
        let found = self.manifest()?;
        let digest = &found.manifest.digest;
        let mut files = found.files.iter();
        if let Some(file) = files.find(|file| Some(&file.content.digest) == self.digest) {
            return Ok((found, file));
        }
        match found.files.as_slice() {
            [file] => Ok((found, file)),
            [] => bail!(Failure::new(
                ErrorKind::NotFound,
                format!("{digest} has no content")
            )),
            files => {
                let choices = files.iter().map(|file| {
                    let title = file.title.as_deref().unwrap_or("without a name");
                    let size = bytes(file.content.size);
                    format!("{} ({title}, {size})", file.content.digest)
                });
                let message = format!("{digest} has {} files: {}", files.len(), list(choices));
                let hint = "name one of the files by its digest, as in `--get sha256:…`";
                bail!(Failure::usage(message).hint(hint))
            }
        }
    }

    fn manifest(&self) -> Result<&'a DiscoveredManifest> {
        let reference = &self.discovered.reference;
        let hint = format!("see what is attached with `par discover {reference}`");
        if let Some(digest) = self.digest {
            let Some(found) = self.discovered.find(digest) else {
                let message = format!("{digest} is not attached to {reference}");
                bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
            };
            if let Some(artifact_type) = self.artifact_type
                && artifact_type != found.kind()
            {
                let kind = found.kind();
                let message =
                    format!("{digest} at {reference} is of the type {kind}, not {artifact_type}");
                bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
            }
            return Ok(found);
        }
        let artifact_type = self.artifact_type.unwrap_or_default();
        let attached = self.discovered.attached().into_iter();
        let attached = attached.filter(|found| {
            let is_attached = matches!(found.relation, Relation::Referrer | Relation::Tag(_));
            is_attached && found.kind() == artifact_type
        });
        match attached.collect::<Vec<_>>().as_slice() {
            // Attachments with the same files count as one: two runs at the same time may attach a file twice.
            [found, others @ ..] if others.iter().all(|other| other.files == found.files) => {
                Ok(found)
            }
            [] => {
                let message =
                    format!("nothing of the type {artifact_type} is attached to {reference}");
                bail!(Failure::new(ErrorKind::NotFound, message).hint(hint))
            }
            several => {
                let digests = several
                    .iter()
                    .map(|found| found.manifest.digest.to_string());
                let message = format!(
                    "{} attachments of {reference} are of the type {artifact_type}: {}",
                    several.len(),
                    list(digests)
                );
                bail!(
                    Failure::usage(message).hint("name one by its digest, as in `--get sha256:…`")
                )
            }
        }
    }
}

/// Returns the choices as a list on one line. Choices above the limit are left out.
fn list(choices: impl Iterator<Item = String>) -> String {
    let mut choices: Vec<String> = choices.take(CHOICES + 1).collect();
    if choices.len() > CHOICES {
        choices.truncate(CHOICES);
        choices.push("more".to_owned());
    }
    choices.join(", ")
}
