//! `par diff`

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Map, Value, json};

use crate::archive::{Contents, Dates, Target};
use crate::cli::arguments::{Argument, Reached, RegistryArgs, SidesArgs, Source, VerifiedSource};
use crate::cli::output::{Answer, Failure, value_text};
use crate::cli::session::Session;
use crate::client::TrustPolicy;
use crate::content::{Digest, time_text};

/// Show the differences between two archives
///
/// Both archives are verified first. An archive that becomes valid later is compared too, with a warning. Claims and
/// contents are compared, but not the compression and the time of signing. When one of the two is a reference, the
/// digests of the archives are compared as well: without a difference, both are the same bytes. The digest of a file is
/// that of its layer after `par push`.
///
/// The registry options are for both sides. Options that begin with --from are for the first archive only, and options
/// that begin with --to for the second. They replace the options for both.
///
/// Without differences, nothing is printed. The exit code is 0 with and without differences, unless --exit-code is
/// given. With -o json, see `same`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par diff old.par.gz new.par.gz
  par diff ghcr.io/org/provider:1.0.0 provider.par.gz --exit-code
  par diff ghcr.io/org/provider:1.0.0 registry.lan/org/provider:1.0.0 --to-ca lan.pem -o json")]
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
    registries: SidesArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let both = &args.registries.both;
    let from = Source::parse(&args.from, both)?;
    let to = Source::parse(&args.to, both)?;
    if let (Source::StandardInput, Source::StandardInput) = (&from, &to) {
        bail!(Failure::usage("standard input cannot be both archives"));
    }
    let (at_from, at_to) = args
        .registries
        .split(from.reference(), to.reference(), session)?;
    let reached = Reached::new(from.reference(), to.reference());
    let trust = TrustPolicy::anyone();
    let verify = async |source: &Source, registry: &RegistryArgs| {
        let verified = source.verify(&trust, Dates::ValidLater, registry, session);
        let verified = verified.await.map_err(|error| reached.explain(error))?;
        source.warn_of_date(&verified.contents.claims, session);
        Ok::<_, anyhow::Error>(verified)
    };
    let old = verify(&from, &at_from).await?;
    let new = verify(&to, &at_to).await?;
    let mut differences = Differences::between(&old.contents, &new.contents);
    if from.reference().or(to.reference()).is_some() {
        differences.add_digests(digests((&from, &old), (&to, &new)).await?);
    }
    let differ = !differences.lines.is_empty();
    Ok(differences
        .answer()
        .code(u8::from(args.exit_code && differ)))
}

/// Returns the digests of the bytes of two archives, if one of them is a reference. `None`: the digests cannot be
/// compared, because an archive is in several layers or the algorithms differ.
async fn digests(
    from: (&Source, &VerifiedSource),
    to: (&Source, &VerifiedSource),
) -> Result<Option<(Digest, Digest)>> {
    let behind_reference = |(source, verified): (&Source, &VerifiedSource)| {
        source.reference().and(verified.archive.clone())
    };
    if let Some(digest) = behind_reference(from) {
        let other = to.0.digest_like(to.1, &digest).await?;
        return Ok(other.map(|other| (digest, other)));
    }
    let Some(digest) = behind_reference(to) else {
        return Ok(None);
    };
    let other = from.0.digest_like(from.1, &digest).await?;
    Ok(other.map(|other| (other, digest)))
}

/// The differences between two archives.
struct Differences {
    lines: Vec<String>,
    claims: Map<String, Value>,
    targets: Map<String, Value>,
    /// The digests of both archives and whether they are the same. `None`: they are not compared.
    digest: Option<Value>,
}

impl Differences {
    fn between(from: &Contents, to: &Contents) -> Self {
        let mut lines = Vec::new();
        let mut claims = Map::new();
        for ((field, from), (_, to)) in fields(from).into_iter().zip(fields(to)) {
            if from == to {
                continue;
            }
            let line = match field {
                // These values are too long for a line.
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

        Self {
            lines,
            claims,
            targets,
            digest: None,
        }
    }

    /// Adds the digests of both archives, if they can be compared.
    fn add_digests(&mut self, digests: Option<(Digest, Digest)>) {
        self.digest = Some(Value::Null);
        if let Some((from, to)) = digests {
            let same = from == to;
            if !same {
                self.lines.push(format!("digest: {from} -> {to}"));
            }
            let (from, to) = (from.to_string(), to.to_string());
            self.digest = Some(json!({ "from": from, "to": to, "same": same }));
        }
    }

    fn answer(self) -> Answer {
        let answer = Answer::lines(&self.lines)
            .field("same", self.lines.is_empty())
            .field("claims", self.claims)
            .field("targets", self.targets);
        match self.digest {
            Some(digest) => answer.field("digest", digest),
            None => answer,
        }
    }
}

/// Returns the fields of the claims except the executables, always in the same order.
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
