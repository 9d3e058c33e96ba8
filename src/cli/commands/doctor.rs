//! `par doctor`

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::arguments::{RegistryArgs, require_repository};
use crate::cli::output::{Answer, Problem, escape, finding_hint};
use crate::cli::session::Session;
use crate::client::{Diagnosis, Finding, TrustPolicy, Verdict};
use crate::oci::Place;

/// Find out what a registry can do, and what is in the way
///
/// Says what answers, how the connection is secured, who is asking and whether that is accepted; of a
/// repository also whether it can be read, and with --push whether and how it takes uploads. Fails when
/// something is in the way, with the exit code that other commands would have.
#[derive(clap::Args)]
#[command(
    mut_arg("allow_latest", |argument| argument.hide(true)),
    mut_arg("connections", |argument| argument.hide(true)),
    mut_arg("patience", |argument| argument.hide(true))
)]
pub(crate) struct Args {
    /// The registry, and a repository in it for everything that takes one. A tag or a digest says what
    /// to read there. Default: any tag
    #[arg(value_name = "REGISTRY[/REPOSITORY]")]
    place: Place,
    /// Try uploads too: a few hundred bytes without a tag, which are deleted again if the registry
    /// allows that. Needs a repository, and permission to push. Default: nothing is sent
    #[arg(long)]
    push: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let place = args.place;
    if args.push {
        require_repository(&place, "and --push needs a repository")?;
    }
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let diagnosis = client.doctor(&place, args.push).await?;
    Ok(answer(&place, &diagnosis))
}

fn answer(place: &Place, diagnosis: &Diagnosis) -> Answer {
    // What it said, and what to do, is among the findings.
    let problem = diagnosis.obstacle().map(|(finding, kind)| {
        let message = format!(
            "{place} cannot be used: the check `{}` failed",
            finding.check.name()
        );
        Problem::found(kind, message, None)
    });
    let findings = &diagnosis.findings;
    let text: String = findings.iter().map(text).collect();
    let repository = place.reference().map(|reference| reference.repository());
    Answer::new(text)
        .field("registry", place.registry())
        .field("repository", repository)
        .field("findings", findings.iter().map(value).collect::<Value>())
        .failing(problem)
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
