//! `par export`

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Value, json};

use crate::archive::{RequestedTarget, Target, from_unix};
use crate::cli::arguments::{
    Argument, Reached, STANDARD_INPUT, SidesArgs, Source, TrustArgs, created_at, image_destination,
    standard_input,
};
use crate::cli::files;
use crate::cli::output::{Answer, Failure, bytes, path_text};
use crate::cli::session::Session;
use crate::client::{ExportOptions, Exported};
use crate::oci::{LayoutForm, Reference};

use super::pinned;

/// Make a container image of an archive, and print its reference by digest, or the path of its file
///
/// The archive is verified and checked against the trust policy first. The image has a platform for each Linux executable. It
/// needs no wasmCloud host. Containers run the executable as the user 65532. Other executables are left out with a
/// warning.
///
/// DST is a registry reference, `oci-layout://DIR[:NAME]`, `oci-archive://FILE.tar[:NAME]`, or a path that ends in `.tar`.
/// Repeating an export gives the same digest.
///
/// A dynamic executable needs a base image with its dynamic linker and its libraries. The base must have each platform.
/// The image keeps the environment and the working directory of the base.
///
/// The registry options are for both sides. Options that begin with --from are for the archive and the base only, and
/// options that begin with --to for DST. They replace the options for both.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par export ghcr.io/org/provider:1.0.0 ghcr.io/org/provider-image:1.0.0
  par export provider.par.gz image.tar
  par export provider.par.gz oci-layout://image:1.0.0 --target x86_64-linux
  par export ghcr.io/org/provider:1.0.0 registry.lan/org/image:1.0.0 --base docker.io/library/debian:12-slim")]
pub(crate) struct Args {
    /// The archive
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// The destination of the image. An image without a NAME replaces an existing file. An image with a NAME is added
    /// to it. A file that is not the tar of a layout is neither replaced nor changed, which is an error
    #[arg(value_name = "DST")]
    destination: OsString,
    /// The image whose layers are below the executable. Default: none, the image has only the executable
    #[arg(long, value_name = "REF")]
    base: Option<OsString>,
    /// The path of the executable in the image
    #[arg(long, value_name = "PATH", default_value = "/provider")]
    path: String,
    /// A target to export. May be given several times. Default: all Linux targets of the archive
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<RequestedTarget>,
    /// A label for the image, which replaces a label from the claims. May be given several times. Default: only the
    /// labels from the claims
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The time of creation, in seconds since 1970. Default: the time at which the archive was signed
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Fail if the tag of DST names other content already, or if DST is a file without a NAME and has other content.
    /// Default: the tag is moved, or the file is replaced
    #[arg(long)]
    if_absent: bool,
    /// Allow the tag of DST to be moved from a provider archive to the image. Hosts cannot use the tag then. Default:
    /// that is an error
    #[arg(long)]
    change_identity: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registries: SidesArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let both = &args.registries.both;
    let source = Source::parse(&args.archive, both)?;
    let destination = image_destination(&args.destination, both)?;
    let options = options(&args)?;
    let from = source.reference().or(options.base.as_ref());
    let (mut from, to) = args.registries.split(from, Some(&destination), session)?;
    let all_from = source.reference().into_iter().chain(&options.base);
    from.share(all_from.clone(), session)?;
    let reached = Reached::new(all_from, Some(&destination));
    let trust = args.trust.policy().await?;
    let from = from.client(session, trust.clone()).await?;
    let to = to.client(session, trust).await?;
    let by_rules = args.trust.is_named();
    let exported = match &source {
        Source::Reference(reference) => {
            to.export_reading(&from, reference, &destination, &options)
                .await
        }
        Source::File(path) => {
            let name = path_text(path);
            let input = (files::open(path)?, name.trim_end());
            to.export_input(&from, input, &destination, &options, by_rules)
                .await
        }
        Source::StandardInput => {
            let input = (standard_input()?, STANDARD_INPUT);
            to.export_input(&from, input, &destination, &options, by_rules)
                .await
        }
    };
    let exported = exported.map_err(|error| reached.explain(pinned::explain(error)))?;
    pinned::tell_moved(session, &exported.tags, &exported.digest);
    let (sent, existing) = (bytes(exported.sent), bytes(exported.existing));
    session.note(&match &destination {
        Reference::Registry(_) => {
            let mounted = bytes(exported.mounted);
            format!("sent {sent}, mounted {mounted}, there already {existing}")
        }
        Reference::Layout(_) => format!("wrote {sent}, there already {existing}"),
    });
    Ok(answer(&exported, &destination))
}

/// Returns the options of the image. Refuses a label that is given twice.
fn options(args: &Args) -> Result<ExportOptions> {
    let mut options = ExportOptions::default()
        .path(&args.path)
        .if_absent(args.if_absent)
        .change_identity(args.change_identity);
    options.requested = args.targets.clone();
    options.labels = unique(&args.labels)?;
    if let Some(created) = created_at(args.created.as_deref(), "creation")? {
        options = options.created(from_unix(created));
    }
    if let Some(base) = &args.base {
        options = options.base(args.registries.both.reference(base, false)?);
    }
    Ok(options)
}

fn answer(exported: &Exported, destination: &Reference) -> Answer {
    let answer = match destination {
        Reference::Layout(place) if place.form() == LayoutForm::File => {
            Answer::file(place.path()).field("digest", exported.digest.to_string())
        }
        reference => pinned::pushed(reference, &exported.digest),
    };
    let images = exported.images.iter().map(|image| {
        json!({
            "platform": image.platform,
            "target": image.target.as_str(),
            "digest": image.digest.to_string(),
        })
    });
    let left_out = exported.left_out.iter().map(Target::as_str);
    let claims = &exported.contents.claims;
    answer
        .field("images", images.collect::<Value>())
        .field("left_out", left_out.collect::<Value>())
        .field("archive", exported.archive.to_string())
        .field("is_subject", exported.is_subject)
        .field("issuer", claims.issuer().as_str())
        .field("service", claims.subject().as_str())
        .field("tags", pinned::tags(&exported.tags))
        .field("sent", exported.sent)
        .field("mounted", exported.mounted)
        .field("there_already", exported.existing)
}

/// Returns the labels by key. The same key twice is an error.
fn unique(labels: &[(String, String)]) -> Result<BTreeMap<String, String>> {
    let mut unique = BTreeMap::new();
    for (key, value) in labels {
        if unique.insert(key.clone(), value.clone()).is_some() {
            let message = format!("the label `{key}` is given twice");
            bail!(Failure::usage(message).hint("give each label once"));
        }
    }
    Ok(unique)
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write KEY=VALUE".to_owned()),
    }
}
