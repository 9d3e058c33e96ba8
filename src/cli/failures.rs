//! The failures of a command that works on many references or files and reports every failure.

use std::collections::HashSet;

use anyhow::Error;
use serde_json::{Value, json};

use super::output::{Answer, Problem, hide_secrets};
use super::session::Session;

/// The exit code for a refused archive. It replaces the exit codes of other failures.
const REFUSED: u8 = 5;

/// The names of what has failed, such as references, each with its problem.
pub(crate) struct Failures {
    failed: Vec<(String, Problem)>,
    /// How many messages are printed.
    most: usize,
}

impl Default for Failures {
    fn default() -> Self {
        Self::printing(usize::MAX)
    }
}

impl Failures {
    /// Returns a value without failures. At most this many messages are printed, and the number of the others.
    pub(crate) fn printing(most: usize) -> Self {
        Self {
            failed: Vec::new(),
            most,
        }
    }

    /// Adds the failure of `what`, a reference or the name of a file. A wrong reference may contain a password.
    pub(crate) fn add(&mut self, what: impl Into<String>, error: &Error) {
        let what = hide_secrets(&what.into()).into_owned();
        self.failed.push((what, Problem::of(error)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.failed.len()
    }

    /// Returns `answer` with these failures, which are [reported](Self::report).
    pub(crate) fn end(self, answer: Answer, session: &Session, summary: &str) -> Answer {
        let answer = answer.field("failures", self.listed());
        answer.failing(self.report(session, summary))
    }

    /// Returns `answer` with these failures, which are printed. The command ends with another `problem`, which is worse.
    pub(crate) fn end_with(self, answer: Answer, session: &Session, problem: Problem) -> Answer {
        self.print(session);
        let answer = answer.field("failures", self.listed());
        answer.failing(problem)
    }

    fn listed(&self) -> Value {
        let failures = self.failed.iter().map(|(what, problem)| {
            let Problem {
                kind,
                message,
                hint,
                ..
            } = problem;
            json!({ "what": what, "kind": kind, "message": message, "hint": hint })
        });
        failures.collect()
    }

    /// Prints each message once.
    fn print(&self, session: &Session) {
        let mut printed = HashSet::new();
        let mut more = 0;
        for (_, problem) in &self.failed {
            // One cause, such as a cache that cannot be used, can give many failures the same message.
            if !printed.insert(&problem.message) {
                continue;
            }
            if printed.len() <= self.most {
                session.print_problem(problem);
            } else {
                more += 1;
            }
        }
        if more > 0 {
            session.note(&format!("{more} more failures are not printed"));
        }
    }

    /// Returns the problem with which the command ends. If there are several failures, prints each message once, and
    /// `summary` is the message of the problem. The exit code is 5 if an archive was refused, else the exit code of the
    /// first failure.
    pub(crate) fn report(self, session: &Session, summary: &str) -> Option<Problem> {
        let has_several = self.failed.len() > 1;
        if has_several {
            self.print(session);
        }
        let mut failed = self.failed.iter();
        let refused = failed.position(|(_, problem)| problem.code == REFUSED);
        let worst = self.failed.into_iter().nth(refused.unwrap_or(0));
        worst.map(|(_, problem)| {
            if !has_several {
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
