//! `par diff`

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Map, Value, json};

use crate::archive::{Contents, Dates, Target};
use crate::cli::arguments::{Argument, RegistryArgs, Source};
use crate::cli::output::{Answer, Failure, value_text};
use crate::cli::session::Session;
use crate::client::TrustPolicy;
use crate::content::time_text;

/// Show the differences between two archives
///
/// Both archives are verified first. An archive that becomes valid later is compared too, with a warning. Claims and
/// contents are compared, but not the compression and the time of signing.
///
/// Without differences, nothing is printed. The exit code is 0 with and without differences, unless --exit-code is
/// given. With -o json, see `same`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par diff old.par.gz new.par.gz
  par diff ghcr.io/org/provider:1.0.0 provider.par.gz -o json")]
pub(crate) struct Args {
    /// The archive to compare from; `-` reads one of the two from standard input
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    from: Argument,
    /// The archive to compare to
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    to: Argument,
    /// End with exit code 1 if the archives differ. An error has another exit code, or is printed
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    let from = Source::parse(&args.from, &args.registry)?;
    let to = Source::parse(&args.to, &args.registry)?;
    if let (Source::StandardInput, Source::StandardInput) = (&from, &to) {
        bail!(Failure::usage("standard input cannot be both archives"));
    }
    let references = from.reference().into_iter().chain(to.reference());
    args.registry.share(references, session)?;
    let trust = TrustPolicy::anyone();
    let verify = async |source: &Source| {
        let verified = source.verify(&trust, Dates::ValidLater, &args.registry, session);
        let verified = verified.await?;
        source.warn_of_date(&verified.contents.claims, session);
        Ok::<_, anyhow::Error>(verified)
    };
    let from = verify(&from).await?;
    let to = verify(&to).await?;
    let answer = answer(&from.contents, &to.contents);
    let differ = !answer.text.is_empty();
    Ok(answer.code(u8::from(args.exit_code && differ)))
}

fn answer(from: &Contents, to: &Contents) -> Answer {
    let mut lines = Vec::new();
    let mut claims = Map::new();
    for ((field, from), (_, to)) in fields(from).into_iter().zip(fields(to)) {
        if from == to {
            continue;
        }
        let line = match field {
            // The values are too long for a line.
            "schema" | "world" => status(&from, &to).to_owned(),
            _ => format!("{} -> {}", value_text(&from), value_text(&to)),
        };
        lines.push(format!("{field}: {line}"));
        claims.insert(field.to_owned(), json!({ "from": from, "to": to }));
    }
    let mut targets = Map::new();
    let all = from.executables.keys().chain(to.executables.keys());
    for target in BTreeSet::from_iter(all) {
        let status = status(&digest(from, target), &digest(to, target));
        if status != SAME {
            lines.push(format!("{target}: {status}"));
        }
        targets.insert(target.to_string(), status.into());
    }
    Answer::lines(&lines)
        .field("same", lines.is_empty())
        .field("claims", claims)
        .field("targets", targets)
}

/// Returns the fields of the claims besides the executables, always in the same order.
fn fields(contents: &Contents) -> [(&'static str, Value); 10] {
    let claims = &contents.claims;
    let metadata = claims.metadata();
    [
        ("name", json!(metadata.name)),
        ("vendor", json!(metadata.vendor)),
        ("version", json!(metadata.version)),
        ("revision", json!(metadata.revision)),
        ("issuer", json!(claims.issuer().as_str())),
        ("service", json!(claims.subject().as_str())),
        ("not_before", json!(metadata.not_before.map(time_text))),
        ("expires", json!(metadata.expires.map(time_text))),
        ("schema", json!(metadata.schema)),
        ("world", json!(claims.world().map(ToString::to_string))),
    ]
}

/// Returns the digest of an executable, or `null` if the archive does not hold it.
fn digest(contents: &Contents, target: &Target) -> Value {
    let held = contents.executables.contains_key(target);
    let digest = contents.claims.executables().get(target).filter(|_| held);
    json!(digest.map(ToString::to_string))
}

const SAME: &str = "same";

fn status(from: &Value, to: &Value) -> &'static str {
    match (from, to) {
        (from, to) if from == to => SAME,
        (Value::Null, _) => "added",
        (_, Value::Null) => "removed",
        _ => "changed",
    }
}
