//! `par doctor`: what it finds out about real registries, and about what stands before them or is none.

mod answers;
mod uploads;

use std::path::Path;

use serde_json::Value;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// What `par doctor` has found.
struct Diagnosed {
    outcome: Outcome,
    json: Value,
}

/// Runs it, with these arguments, and asserts the exit code.
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

    /// What was checked, in this order.
    fn checks(&self) -> Vec<&str> {
        let checks = self.findings().iter().map(|finding| &finding["check"]);
        checks.map(|check| check.as_str().unwrap()).collect()
    }

    /// Asserts what a check came to, and that this is in what is said about it, advice included.
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

/// Pushes a small archive, and gives its file.
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
