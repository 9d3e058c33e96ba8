//! `par verify`

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Value, json};

use crate::archive::{Compression, Dates};
use crate::cache::Pin;
use crate::cli::arguments::{
    Argument, IdentityArgs, RegistryArgs, Source, TrustArgs, VerifiedSource, validity,
};
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::cli::vouching;
use crate::client::{self, TrustPolicy, pin_name, trust::Rule};
use crate::content::time_text;
use crate::oci::Reference;

/// Verify an archive completely, and list the checks
///
/// The checks are: structure and checksums of the archive; signature, key types and dates of its claims; the
/// hash of every executable and of the WIT world; that the archive holds nothing else; and that it is trusted.
/// Trust is decided by the options, and for a reference also by the trust policy and the pin of its
/// repository.
///
/// A file belongs to no repository, so the user's own trust policy is not applied to it. A policy that --trust or
/// PAR_TRUST names is applied: the archive must satisfy one of its rules that name issuers, subjects, a revision or
/// identities. No file satisfies a rule that names identities, because an identity signs a manifest. With --as, only the
/// rule for that reference is applied.
///
#[cfg_attr(
    feature = "sigstore",
    doc = "A policy, or --identity, can demand that a Sigstore identity has signed the manifest. The Sigstore bundles are \
           read from the repository or the layout of the archive, and they are verified without further requests."
)]
#[cfg_attr(
    not(feature = "sigstore"),
    doc = "This `par` is built without the feature `sigstore`, so it refuses a policy that demands a Sigstore identity."
)]
///
/// If the cache cannot be written, a temporary cache is used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par verify provider.par.gz --issuer ACGZ…
  par verify provider.par.gz --trust policy.toml --as ghcr.io/org/provider:1.0.0
  par verify ghcr.io/org/provider:1.0.0
  par verify ghcr.io/org/provider:1.0.0 --identity 'https://github.com/org/*' \
    --identity-issuer https://token.actions.githubusercontent.com")]
pub(crate) struct Args {
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// Check a file as if it had this reference: the rule of the trust policy for the reference is applied. Pins are
    /// not compared. Default: for a file, any rule of a policy in --trust or PAR_TRUST may allow the archive
    #[arg(long = "as", value_name = "REF")]
    role: Option<Argument>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let source = Source::parse(&args.archive, &args.registry)?;
    let role = args.role.as_deref();
    let role = role.map(|role| args.registry.reference(role, true));
    let role = role.transpose()?;
    if let (Source::Reference(reference), Some(_)) = (&source, &role) {
        let message = format!("--as is for files, and {reference} is a reference");
        bail!(Failure::usage(message).hint("leave out --as"));
    }
    if source.reference().is_none() && args.identity.is_given() {
        let message = format!(
            "--identity is for manifests in a registry or a layout, and {source} is not one"
        );
        bail!(Failure::usage(message).hint("leave out --identity, or verify the reference"));
    }
    let trust = args.identity.demand(args.trust.policy().await?)?;
    let checked = source
        .verify(&trust, Dates::Valid, &args.registry, session)
        .await?;
    let pin = match (&source, &checked.pin) {
        (Source::Reference(Reference::Registry(place)), Some(pin)) => Some((pin_name(place), pin)),
        _ => None,
    };
    let rule = match (&source, &role) {
        (Source::Reference(reference), _) => trust.rule(reference),
        (_, Some(role)) => {
            let allowed = trust.check_as(&checked.contents.claims, role, &source.to_string());
            allowed.map_err(client::Error::from)?;
            trust.rule(role)
        }
        (_, None) if args.trust.is_named() => {
            let claims = &checked.contents.claims;
            let rule = trust.check_anywhere(claims, &source.to_string());
            rule.map_err(client::Error::from)?
        }
        (_, None) => None,
    };
    let allowed = allowed(&trust, rule, pin.is_some());
    let mut lines = vec![format!("verified {source}")];
    let rows = rows(&checked, allowed.as_deref(), &pin);
    let width = rows
        .iter()
        .map(|(label, _)| label.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(
        rows.iter()
            .map(|(label, value)| format!("  {label:width$}  {value}")),
    );
    // These are the same fields as in `par trust list`.
    let pin = pin.map(|(repository, pin)| {
        json!({
            "repository": repository,
            "issuer": pin.issuer,
            "service": pin.subject,
            "since": pin.date(),
        })
    });
    Ok(fields(&checked, allowed.is_some(), Answer::lines(lines))
        .field("pin", pin)
        .field("source", source.to_string()))
}

/// Returns the option, the rule or the pin that allows the issuer, or `None` if any issuer is allowed.
fn allowed(trust: &TrustPolicy, rule: Option<&Rule>, pinned: bool) -> Option<String> {
    if !trust.issuers.is_empty() {
        return Some("allowed by --issuer".to_owned());
    }
    match rule.filter(|rule| !rule.issuers.is_empty()) {
        Some(rule) => Some(format!("allowed for {}", rule.pattern)),
        None => pinned.then(|| "as pinned".to_owned()),
    }
}

/// Returns a label and a text for each check.
fn rows<'a>(
    checked: &'a VerifiedSource,
    allowed: Option<&str>,
    pin: &Option<(String, &Pin)>,
) -> Vec<(&'a str, String)> {
    let contents = &checked.contents;
    let claims = &contents.claims;
    let form = match contents.compression {
        Compression::None => "tar, to the last byte",
        Compression::Gzip => "gzip and tar, to the last byte",
    };
    let allowed = allowed.unwrap_or("any issuer is allowed");
    let pin = pin.as_ref().map(|(repository, pin)| {
        let since = pin.date();
        if pin.issuer == claims.issuer().as_str() {
            format!("{repository} has been pinned to this issuer and this service since {since}")
        } else {
            let successor = &pin.issuer;
            format!(
                "{repository} has been pinned to {successor} since {since}; this issuer has handed over to that account"
            )
        }
    });
    let dates = validity(&claims.metadata()).unwrap_or_else(|| "valid for ever".to_owned());
    let mut rows = Vec::new();
    if let Some(digest) = &checked.digest {
        rows.push(("manifest", digest.to_string()));
    }
    rows.push(("archive", form.to_owned()));
    rows.push((
        "signature",
        format!("by {} ({allowed})", claims.issuer().as_str()),
    ));
    rows.push(("service", claims.subject().to_string()));
    rows.extend(pin.map(|pin| ("pin", pin)));
    for row in checked.identity.iter().flat_map(vouching::rows) {
        rows.push(row);
    }
    rows.push(("dates", dates));
    if let Some(digest) = claims.world() {
        rows.push(("world.wasm", digest.to_string()));
    }
    for (target, digest) in claims.executables() {
        let value = match contents.executables.get(target) {
            Some(size) => format!("{digest} ({size} bytes)"),
            None => "signed for, but absent from this archive".to_owned(),
        };
        rows.push((target.as_str(), value));
    }
    rows
}

fn fields(checked: &VerifiedSource, issuer_checked: bool, answer: Answer) -> Answer {
    let contents = &checked.contents;
    let metadata = contents.claims.metadata();
    let targets = contents.executables.iter().map(|(target, size)| {
        let digest = contents.claims.executables().get(target);
        let value = json!({ "digest": digest, "size": size });
        (target.to_string(), value)
    });
    let absent: Vec<&str> = contents.absent.iter().map(|t| t.as_str()).collect();
    answer
        .field("digest", checked.digest.as_ref().map(ToString::to_string))
        .field("compressed", contents.compression == Compression::Gzip)
        .field("issuer", contents.claims.issuer().as_str())
        .field("issuer_checked", issuer_checked)
        .field("service", contents.claims.subject().as_str())
        .field("identity", vouching::value(checked.identity.as_ref()))
        .field("not_before", metadata.not_before.map(time_text))
        .field("expires", metadata.expires.map(time_text))
        .field("world", contents.claims.world().map(ToString::to_string))
        .field("targets", targets.collect::<Value>())
        .field("absent", absent)
}
