//! Checks of this machine: whether it can run providers, and one provider.

use crate::archive::{ExecutableFacts, Target};
use crate::content::{ErrorKind, with_causes};
use crate::oci::{Place, Reference};

use super::client::Client;
use super::doctor::{Advice, Check, Diagnosis, Finding, Verdict, check_machine};
use super::error::Error;
use super::fetch::fetch_alone;
use super::host::{HostProblem, problems_of};

impl Client {
    /// Finds out whether this machine can run providers: C library, open files, and whether executables in the cache can
    /// be started. With a `place`, the registry is checked as by [`doctor`](Self::doctor), and its clock is compared with
    /// that of this machine. With a tag or a digest, the executable for this machine is fetched into the cache, and its
    /// needs are compared with what this machine has.
    ///
    /// Nothing is started, and the registry gets only requests to read.
    ///
    /// # Errors
    ///
    /// As for [`doctor`](Self::doctor). Problems of this machine, the registry or the executable are in the
    /// [`Diagnosis`].
    #[tracing::instrument(skip_all)]
    pub async fn doctor_host(&self, place: Option<&Place>) -> Result<Diagnosis, Error> {
        let mut diagnosis = match place {
            Some(place) => self.doctor(place, false).await?,
            None => Diagnosis::default(),
        };
        let is_usable = diagnosis.obstacle().is_none();
        let skipped = |check, said: &str| Finding::new(check, Verdict::Skipped, said);
        let clock = diagnosis.clock.take();
        let clock = clock.unwrap_or_else(|| {
            skipped(
                Check::Clock,
                "there is no answer of a registry to compare the clock with",
            )
        });
        let machine = self.blocking(|client| Ok(client.machine())).await?;
        diagnosis.findings.extend(machine);
        diagnosis.findings.push(clock);
        let Some(reference) = place.and_then(Place::reference) else {
            return Ok(diagnosis);
        };
        let check = Check::Executable;
        let is_named = reference.tag().is_some() || reference.digest().is_some();
        diagnosis.findings.push(if !is_usable {
            skipped(check, "the executable cannot be fetched")
        } else if !is_named {
            skipped(check, "no executable is named").advice(Advice::NameTag)
        } else {
            let reference = self.locked(&Reference::Registry(reference.clone()))?;
            executable(self, &reference).await
        });
        Ok(diagnosis)
    }

    /// Blocks.
    fn machine(&self) -> Vec<Finding> {
        match self.cache() {
            Ok(cache) => check_machine(Ok(cache)),
            Err(Error::Cache(error)) => check_machine(Err(&error)),
            Err(error) => vec![failed(Check::Cache, &error)],
        }
    }
}

/// Checks the executable for this machine of the provider that `reference` stands for.
async fn executable(client: &Client, reference: &Reference) -> Finding {
    let (check, target) = (Check::Executable, Target::host());
    let fetched = match fetch_alone(client, reference, &target).await {
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
