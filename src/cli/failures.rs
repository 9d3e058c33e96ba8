//! The failures of a command that works on many references and reports every failure.

use std::collections::HashSet;

use anyhow::Error;
use serde_json::{Value, json};

use super::output::{Answer, Problem, hide_secrets};
use super::session::Session;

/// The exit code for a refused archive. It replaces the exit codes of other failures.
const REFUSED: u8 = 5;

/// The names of what has failed, such as references, each with its problem.
#[derive(Default)]
pub(crate) struct Failures(Vec<(String, Problem)>);

impl Failures {
    /// Adds the failure of `what`, a reference or the name of a file. A wrong reference may contain a password.
    pub(crate) fn add(&mut self, what: impl Into<String>, error: &Error) {
        let what = hide_secrets(&what.into()).into_owned();
        self.0.push((what, Problem::of(error)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `answer` with these failures, which are [reported](Self::report).
    pub(crate) fn end(self, answer: Answer, session: &Session, summary: &str) -> Answer {
        let failures = self.0.iter().map(|(what, problem)| {
            let Problem {
                kind,
                message,
                hint,
                ..
            } = problem;
            json!({ "what": what, "kind": kind, "message": message, "hint": hint })
        });
        let answer = answer.field("failures", failures.collect::<Value>());
        answer.failing(self.report(session, summary))
    }

    /// Returns the problem with which the command ends. If there are several failures, prints each message once, and
    /// `summary` is the message of the problem. The exit code is 5 if an archive was refused, else the exit code of the
    /// first failure.
    pub(crate) fn report(self, session: &Session, summary: &str) -> Option<Problem> {
        let several = self.0.len() > 1;
        if several {
            let mut printed = HashSet::new();
            for (_, problem) in &self.0 {
                // One cause, such as a cache that cannot be used, can give many failures the same message.
                if printed.insert(&problem.message) {
                    session.print_problem(problem);
                }
            }
        }
        let refused = self
            .0
            .iter()
            .position(|(_, problem)| problem.code == REFUSED);
        let worst = self.0.into_iter().nth(refused.unwrap_or(0));
        worst.map(|(_, problem)| {
            if !several {
                return problem;
            }
            Problem {
                message: summary.to_owned(),
                hint: None,
                ..problem
            }
        })
    }
}
