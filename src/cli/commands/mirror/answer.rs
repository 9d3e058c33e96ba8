//! The answer of `par mirror`.

use anyhow::Error;
use serde_json::{Value, json};

use crate::cli::failures::Failures;
use crate::cli::output::{Answer, Problem, bytes};
use crate::cli::session::Session;
use crate::client::{
    self, MirrorDestination, MirrorHosts, MirrorState, Mirrored, MirroredArtifact,
};
use crate::content::ErrorKind;

use super::super::left_out;
use super::files::HOSTS;

/// The outcome for each source of a mirror.
pub(super) struct Report {
    mirror: String,
    mirrored: Vec<Mirrored>,
    hosts: Vec<MirrorHosts>,
}

impl Report {
    pub(super) fn new(
        mirror: &MirrorDestination,
        mirrored: Vec<Mirrored>,
        hosts: Vec<MirrorHosts>,
    ) -> Self {
        Self {
            mirror: mirror.to_string(),
            mirrored,
            hosts,
        }
    }

    /// Whether the mirror has everything.
    pub(super) fn is_complete(&self) -> bool {
        let mut outcomes = self.mirrored.iter().map(|mirrored| &mirrored.outcome);
        outcomes.all(|outcome| outcome.as_ref().is_ok_and(is_in_mirror))
    }

    pub(super) fn hosts(&self) -> &[MirrorHosts] {
        &self.hosts
    }

    fn artifacts(&self) -> impl Iterator<Item = (&Mirrored, &MirroredArtifact)> {
        let mirrored = self.mirrored.iter();
        mirrored.filter_map(|mirrored| Some((mirrored, mirrored.outcome.as_ref().ok()?)))
    }

    /// Returns how many references have each status, and how many bytes were sent. With `is_dry`, nothing was copied.
    pub(super) fn summary(&self, is_dry: bool) -> String {
        let statuses = [
            "copied",
            "present",
            "missing",
            "different",
            "incomplete",
            "refused",
            "failed",
        ];
        let counts = statuses.iter().filter_map(|status| {
            let with_status = self.mirrored.iter().filter(|it| status_of(it) == *status);
            let count = with_status.count();
            (count > 0).then(|| format!("{count} {status}"))
        });
        let counts: Vec<_> = counts.collect();
        let sum = |of: fn(&MirroredArtifact) -> u64| -> String {
            bytes(self.artifacts().map(|(_, artifact)| of(artifact)).sum())
        };
        let sent = sum(|artifact| artifact.sent);
        let sent = if is_dry {
            format!("{sent} would be sent")
        } else {
            let mounted = sum(|artifact| artifact.mounted);
            let existing = sum(|artifact| artifact.existing);
            format!("sent {sent}, mounted {mounted}, there already {existing}")
        };
        if counts.is_empty() {
            // The list holds no valid reference.
            return sent;
        }
        format!("{}; {sent}", counts.join(", "))
    }

    /// Tells the user which artifacts were not checked against the trust policy, and warns of content that is left out.
    pub(super) fn print_notes(&self, session: &Session) {
        for (Mirrored { reference, .. }, artifact) in self.artifacts() {
            if !artifact.is_archive {
                session.note(&format!(
                    "{reference} is not a provider archive, so the trust policy was not checked"
                ));
            }
            for warning in left_out::warnings(&artifact.left_out, reference) {
                session.warn(&warning);
            }
        }
    }

    /// Returns the problem of a mirror that differs from its sources.
    pub(super) fn drift(&self) -> Option<Problem> {
        let other = self
            .artifacts()
            .filter(|(_, artifact)| !is_in_mirror(artifact));
        let count = other.count();
        (count > 0).then(|| {
            let (mirror, all) = (&self.mirror, self.mirrored.len());
            let message = format!("{mirror} is not up to date: {count} of {all} references differ");
            let hint = "run the command without --check to copy missing content";
            Problem::found(ErrorKind::NotVerified, message, Some(hint.to_owned()))
        })
    }

    pub(super) fn answer(&self, with_hosts: bool) -> Answer {
        let mut lines: Vec<_> = self.mirrored.iter().map(line).collect();
        if with_hosts {
            for hosts in &self.hosts {
                lines.push(String::new());
                lines.push(format!("# {}/{HOSTS}", hosts.directory()));
                lines.extend(hosts.text.lines().map(str::to_owned));
            }
        }
        let hosts = self.hosts.iter().map(|hosts| {
            let file = format!("{}/{HOSTS}", hosts.directory());
            json!({ "registry": hosts.registry, "file": file, "text": hosts.text })
        });
        Answer::lines(lines)
            .field("mirror", &*self.mirror)
            .field(
                "mirrored",
                self.mirrored.iter().map(value).collect::<Value>(),
            )
            .field("hosts", hosts.collect::<Value>())
    }

    /// Returns `answer` with all failures. `explain` adds to an error what only the options of the command tell.
    pub(super) fn end(
        self,
        answer: Answer,
        mut failures: Failures,
        drift: Option<Problem>,
        session: &Session,
        explain: impl Fn(client::Error) -> Error,
    ) -> Answer {
        for Mirrored {
            reference,
            outcome,
            is_refused,
            ..
        } in self.mirrored
        {
            if let Err(error) = outcome {
                let reference = reference.to_string();
                let message = match error {
                    // All sources share this failure, so its message does not name a source and is printed once.
                    client::Error::Shared(_) => format!("cannot write {}", self.mirror),
                    // The lock, the trust policy or a pin has refused the source.
                    _ if is_refused => {
                        format!("{reference} is refused, so nothing of it was copied")
                    }
                    _ => format!("cannot mirror {reference}"),
                };
                failures.add(reference, &explain(error).context(message));
            }
        }
        if failures.is_empty() {
            return answer.field("failures", json!([])).failing(drift);
        }
        let summary = format!("not everything is in {}", self.mirror);
        failures.end(answer, session, &summary)
    }
}

/// Whether the mirror has the artifact.
fn is_in_mirror(artifact: &MirroredArtifact) -> bool {
    matches!(artifact.state, MirrorState::Present | MirrorState::Copied)
}

fn status_of(mirrored: &Mirrored) -> &'static str {
    match &mirrored.outcome {
        Ok(artifact) => match artifact.state {
            MirrorState::Present => "present",
            MirrorState::Copied => "copied",
            MirrorState::Missing => "missing",
            MirrorState::Different { .. } => "different",
            _ => "incomplete",
        },
        Err(_) if mirrored.is_refused => "refused",
        Err(_) => "failed",
    }
}

/// Returns the line about one reference: its status, and its name in the mirror with its digest.
fn line(mirrored: &Mirrored) -> String {
    let status = status_of(mirrored);
    let name = match (&mirrored.destination, &mirrored.outcome) {
        (Some(name), Ok(artifact)) => name.and_digest(artifact.digest.clone()).to_string(),
        (Some(name), Err(_)) => name.to_string(),
        (None, _) => mirrored.reference.to_string(),
    };
    format!("{status:10} {name}")
}

fn value(mirrored: &Mirrored) -> Value {
    let artifact = mirrored.outcome.as_ref().ok();
    let actual = artifact.and_then(|artifact| match &artifact.state {
        MirrorState::Different { actual } => Some(actual.to_string()),
        _ => None,
    });
    json!({
        "reference": mirrored.reference.to_string(),
        "destination": mirrored.destination.as_ref().map(ToString::to_string),
        "status": status_of(mirrored),
        "digest": artifact.map(|artifact| artifact.digest.to_string()),
        "actual": actual,
        "is_archive": artifact.map(|artifact| artifact.is_archive),
        "sent": artifact.map(|artifact| artifact.sent),
        "mounted": artifact.map(|artifact| artifact.mounted),
        "there_already": artifact.map(|artifact| artifact.existing),
    })
}
