//! `par doctor`

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::arguments::{RegistryArgs, place, require_repository};
use crate::cli::output::{Answer, Problem, escape, finding_hint};
use crate::cli::session::Session;
use crate::client::{Check, Diagnosis, Finding, TrustPolicy, Verdict};
use crate::content::ErrorKind;
use crate::oci::Place;

/// Check what a registry supports, or whether this machine can run providers, and find problems
///
/// The checks are: the registry and its mirrors answer, the connection is secure, and the registry accepts the
/// credentials. For a repository also: it can be read, and with --push, it accepts uploads. If a check fails,
/// the exit code is that of a command with the same problem.
///
/// With --host, this machine is checked too: its C library, the cache, the limit on open files and, with a registry,
/// the clock. With a tag or a digest, the executable for this machine is fetched into the cache, and `par` checks
/// whether this machine has everything that the executable needs. Nothing is started, and no publisher is pinned.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true)),
    mut_arg("patience", |argument| argument.hide(true))
)]
#[command(after_help = "\
Examples:
  par doctor ghcr.io
  par doctor localhost:5000/org/provider --push
  par doctor --host
  par doctor --host ghcr.io/org/provider:1.0.0")]
pub(crate) struct Args {
    /// The registry, or a repository in it for more checks. A tag or a digest names the manifest to read.
    /// Default: any tag
    #[arg(value_name = "REGISTRY[/REPOSITORY]", required_unless_present = "host")]
    place: Option<String>,
    /// Check whether this machine can run providers. With a tag or a digest, check that provider too. Default: only the
    /// registry is checked
    #[arg(long, conflicts_with = "push")]
    host: bool,
    /// Check uploads too: send a few hundred bytes without a tag, and delete them again if the registry
    /// allows that. Needs a repository and the permission to push. Default: nothing is sent
    #[arg(long)]
    push: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let place = args.place.as_deref().map(place).transpose()?;
    let place = place.as_ref();
    if let Some(place) = place.filter(|_| args.push) {
        require_repository(place, "and --push needs a repository")?;
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let diagnosis = match place {
        Some(place) if !args.host => client.doctor(place, args.push).await?,
        place => client.doctor_host(place).await?,
    };
    Ok(answer(place, args.host, &diagnosis))
}

fn answer(place: Option<&Place>, host: bool, diagnosis: &Diagnosis) -> Answer {
    // The error and its hint are not repeated here: the findings contain them.
    let problem = diagnosis.obstacle().map(|(finding, kind)| {
        let check = finding.check;
        let failure = match place {
            Some(place) if host => failure_on_host(place, check, kind),
            Some(place) => format!("{} cannot be used", whole_name(place)),
            None => "this machine cannot run providers".to_owned(),
        };
        let message = format!("{failure}: the check `{}` failed", check.name());
        Problem::found(kind, message, None)
    });
    let findings = &diagnosis.findings;
    let text: String = findings.iter().map(text).collect();
    let repository = place.and_then(Place::reference);
    let repository = repository.map(|reference| reference.repository());
    Answer::new(text)
        .field("registry", place.map(Place::registry))
        .field("repository", repository)
        .field("findings", findings.iter().map(value).collect::<Value>())
        .failing(problem)
}

/// Returns what a failed check means for this machine.
fn failure_on_host(place: &Place, check: Check, kind: ErrorKind) -> String {
    let is_about_machine = match check {
        Check::Architecture
        | Check::CLibrary
        | Check::Cache
        | Check::NoExec
        | Check::OpenFiles
        | Check::Clock => true,
        // The executable is fetched from the registry first.
        Check::Executable => kind != ErrorKind::Unavailable,
        _ => false,
    };
    match (place.reference(), is_about_machine) {
        (Some(provider), true) => format!("this machine cannot run {provider}"),
        (Some(provider), false) => {
            format!("cannot check whether this machine can run {provider}, because of the registry")
        }
        (None, true) => "this machine cannot run providers".to_owned(),
        (None, false) => format!("{place} cannot be used"),
    }
}

/// Returns the registry, or the reference with its tag and its digest.
fn whole_name(place: &Place) -> String {
    place
        .reference()
        .map_or_else(|| place.to_string(), ToString::to_string)
}

fn text(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Good => "ok",
        Verdict::Limited => "note",
        Verdict::Skipped => "-",
        _ => "FAILED",
    };
    let check = finding.check.name();
    let mut text = format!("{verdict:7} {check:15} {}\n", escape::line(&finding.said));
    if let Some(advice) = finding_hint(finding) {
        text.push_str(&format!("{:24}-> {}\n", "", escape::line(&advice)));
    }
    text
}

fn value(finding: &Finding) -> Value {
    let kind = match finding.verdict {
        Verdict::Failed(kind) => Some(kind.name()),
        _ => None,
    };
    json!({
        "check": finding.check.name(),
        "verdict": finding.verdict.name(),
        "kind": kind,
        "said": finding.said,
        "advice": finding_hint(finding),
    })
}
