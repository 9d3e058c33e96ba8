//! Whether this machine can start the executable of a provider.

use crate::archive::{ExecutableFacts, Target};
use crate::client::client::Client;
use crate::client::error::Error;
use crate::client::fetch::fetch_alone;
use crate::client::host::{HostProblem, problems_of};
use crate::content::{ErrorKind, with_causes};
use crate::oci::Reference;

use super::finding::{Advice, Check, Finding, Verdict};

/// Checks the executable for this machine of the provider that `reference` stands for.
pub(in crate::client) async fn check(client: &Client, reference: &Reference) -> Finding {
    let (check, target) = (Check::Executable, Target::host());
    let fetched = match fetch_alone(client, reference, &(&target).into()).await {
        Ok(fetched) => fetched,
        Err(error) => return failed(check, &error),
    };
    let compared = client.blocking(move |_| {
        let facts = ExecutableFacts::read(&fetched.path)?;
        let problems = problems_of(&fetched.path, &facts);
        Ok((facts, problems))
    });
    match compared.await {
        Ok((facts, problems)) => compare(&target, &facts, &problems),
        Err(error) => failed(check, &error),
    }
}

fn compare(target: &Target, facts: &ExecutableFacts, problems: &[HostProblem]) -> Finding {
    let (check, said) = (Check::Executable, format!("{target}: {facts}"));
    let Some(first) = problems.first() else {
        return Finding::good(check, said);
    };
    let reasons: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let said = format!("{said}; it cannot be started: {}", reasons.join(", and "));
    let finding = Finding::new(check, Verdict::Failed(ErrorKind::Other), said);
    match first {
        HostProblem::NoExec => finding.advice(Advice::UseOtherCache),
        HostProblem::MissingInterpreter(_) | HostProblem::OldGlibc { .. } => {
            finding.advice(Advice::UseStatic)
        }
        HostProblem::MissingLibrary(_) => finding.advice(Advice::InstallLibrary),
        HostProblem::OtherMachine(_) | HostProblem::NotSigned => finding,
    }
}

/// Returns the finding for an error that ended a check.
fn failed(check: Check, error: &Error) -> Finding {
    Finding::new(check, Verdict::Failed(error.kind()), with_causes(error))
}
