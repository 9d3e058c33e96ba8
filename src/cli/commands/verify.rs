//! `par verify`

use anyhow::Result;
use clap::ValueHint;
use serde_json::{Map, Value, json};

use crate::archive::{Compression, Contents, to_unix};
use crate::cache::Identity;
use crate::cli::arguments::{Argument, RegistryArgs, Source, TrustArgs, VerifiedSource, validity};
use crate::cli::output::{Answer, escape};
use crate::cli::session::Session;
use crate::client::{TrustPolicy, pin_name};
use crate::content::unix_seconds;
use crate::oci::Reference;

/// Verify an archive completely, and list the checks
///
/// The checks are: structure and checksums of the archive; signature, key types and dates of its claims; the
/// hash of every executable and of the WIT world; that the archive holds nothing else; and that it is trusted.
/// Trust is decided by the options, and for a reference also by the trust policy and the pin of its
/// repository.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par verify provider.par.gz --issuer ACGZ…
  par verify ghcr.io/org/provider:1.0.0")]
pub(crate) struct Args {
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let source = Source::parse(&args.archive, &args.registry)?;
    let trust = args.trust.policy().await?;
    let checked = source.verify(&trust, &args.registry, session).await?;
    let pin = pin(&source, &checked);
    let allowed = allowed(&trust, &source, pin.as_ref());
    let text = report(&source, &checked, allowed.as_deref(), pin.as_ref());
    let answer = fields(&checked, allowed.is_some(), Answer::new(text));
    Ok(answer
        .field("pin", pin.as_ref().map(Pin::to_json))
        .field("source", source.to_string()))
}

/// A pin that the archive matches.
struct Pin<'a> {
    repository: String,
    identity: &'a Identity,
}

fn pin<'a>(source: &Source, checked: &'a VerifiedSource) -> Option<Pin<'a>> {
    let Source::Reference(Reference::Registry(place)) = source else {
        return None;
    };
    Some(Pin {
        repository: pin_name(place),
        identity: checked.pin.as_ref()?,
    })
}

impl Pin<'_> {
    fn text(&self) -> String {
        format!(
            "{} is pinned to this issuer and this service since {}",
            self.repository,
            self.identity.date()
        )
    }

    /// Returns the fields that `par trust list` prints too.
    fn to_json(&self) -> Value {
        json!({
            "repository": self.repository,
            "issuer": self.identity.issuer,
            "service": self.identity.subject,
            "since": unix_seconds(self.identity.since),
        })
    }
}

/// Returns what allows the issuer, or `None` if any issuer is allowed.
fn allowed(trust: &TrustPolicy, source: &Source, pin: Option<&Pin>) -> Option<String> {
    if !trust.issuers.is_empty() {
        return Some("allowed by --issuer".to_owned());
    }
    let rule = match source {
        Source::Reference(reference) => trust.rule(reference),
        _ => None,
    };
    match rule.filter(|rule| !rule.issuers.is_empty()) {
        Some(rule) => Some(format!("allowed for {}", rule.pattern)),
        None => pin.map(|_| "as pinned".to_owned()),
    }
}

/// Returns a line for each check.
fn report(
    source: &Source,
    checked: &VerifiedSource,
    allowed: Option<&str>,
    pin: Option<&Pin>,
) -> String {
    let contents = &checked.contents;
    let metadata = contents.claims.metadata();
    let mut rows = Vec::new();
    if let Some(digest) = &checked.digest {
        rows.push(("manifest".to_owned(), digest.to_string()));
    }
    let form = match contents.compression {
        Compression::None => "tar, to the last byte",
        Compression::Gzip => "gzip and tar, to the last byte",
    };
    rows.push(("archive".to_owned(), form.to_owned()));
    let allowed = allowed.unwrap_or("any issuer is allowed");
    rows.push((
        "signature".to_owned(),
        format!("by {} ({allowed})", contents.claims.issuer().as_str()),
    ));
    rows.push(("service".to_owned(), contents.claims.subject().to_string()));
    rows.extend(pin.map(|pin| ("pin".to_owned(), pin.text())));
    rows.push((
        "dates".to_owned(),
        validity(&metadata).unwrap_or_else(|| "valid for ever".to_owned()),
    ));
    if let Some(digest) = contents.claims.world() {
        rows.push(("world.wasm".to_owned(), digest.to_string()));
    }
    for (target, digest) in contents.claims.executables() {
        let value = match contents.executables.get(target) {
            Some(size) => format!("{digest} ({size} bytes)"),
            None => "signed for, but absent from this archive".to_owned(),
        };
        rows.push((target.to_string(), value));
    }
    let width = rows.iter().map(|(label, _)| label.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = format!("verified {}\n", escape::line(&source.to_string()));
    for (label, value) in rows {
        text.push_str(&format!(
            "  {:width$}  {}\n",
            escape::line(&label),
            escape::line(&value)
        ));
    }
    text
}

fn fields(checked: &VerifiedSource, issuer_checked: bool, answer: Answer) -> Answer {
    let contents = &checked.contents;
    let metadata = contents.claims.metadata();
    let absent: Vec<&str> = contents.absent.iter().map(|t| t.as_str()).collect();
    answer
        .field("digest", checked.digest.as_ref().map(ToString::to_string))
        .field("compressed", contents.compression == Compression::Gzip)
        .field("issuer", contents.claims.issuer().as_str())
        .field("issuer_checked", issuer_checked)
        .field("service", contents.claims.subject().as_str())
        .field("not_before", metadata.not_before.map(to_unix))
        .field("expires", metadata.expires.map(to_unix))
        .field("world", contents.claims.world().map(ToString::to_string))
        .field("targets", targets(contents))
        .field("absent", absent)
}

fn targets(contents: &Contents) -> Map<String, Value> {
    contents
        .executables
        .iter()
        .map(|(target, size)| {
            let digest = contents.claims.executables().get(target);
            let value = json!({ "digest": digest, "size": size });
            (target.to_string(), value)
        })
        .collect()
}
