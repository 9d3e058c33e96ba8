//! `par doctor` with real registries, with proxies in front of them, and with servers that are no registries.

mod answers;
mod uploads;

use std::path::Path;

use serde_json::Value;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// The report of `par doctor`.
struct Diagnosed {
    outcome: Outcome,
    json: Value,
}

/// Runs `par doctor` with these arguments, and asserts the exit code.
#[track_caller]
fn doctor(environment: &Environment, arguments: &[&str], code: i32) -> Diagnosed {
    let line = ["doctor", "-o", "json"].iter().chain(arguments);
    let outcome = environment.par(line).exit(code);
    let json = outcome.json();
    assert_eq!(json["success"], code == 0, "{outcome}");
    Diagnosed { outcome, json }
}

impl Diagnosed {
    fn findings(&self) -> &[Value] {
        self.json["findings"].as_array().unwrap()
    }

    /// Returns the names of the checks in their order.
    fn checks(&self) -> Vec<&str> {
        let checks = self.findings().iter().map(|finding| &finding["check"]);
        checks.map(|check| check.as_str().unwrap()).collect()
    }

    /// Asserts the verdict of a check, and that its text or its advice contains `said`.
    #[track_caller]
    fn assert(&self, check: &str, verdict: &str, said: &str) -> &Self {
        let mut findings = self.findings().iter();
        let finding = findings.find(|finding| finding["check"] == check);
        let finding = finding.unwrap_or_else(|| panic!("no {check}\n{}", self.outcome));
        assert_eq!(finding["verdict"], verdict, "{finding:#}");
        let text = format!("{} {}", finding["said"], finding["advice"]);
        assert!(text.contains(said), "{finding:#}");
        self
    }
}

/// Pushes a small archive, and returns its file.
fn pushed(environment: &Environment, registry: &Registry, name: &str) -> String {
    let file = environment.write("provider.par", ArchiveBuilder::two_targets().build());
    let file = text(&file);
    let reference = registry.reference(name);
    environment.par(["push", &reference, &file]).success();
    file
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
