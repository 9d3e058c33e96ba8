//! Asking one endpoint after the other: first the mirrors, then the registry itself.

use std::time::Duration;

use crate::content::{ErrorKind, with_causes};
use crate::oci::error::{Error, one_line};

use super::endpoint::Endpoint;

/// The most mirrors whose errors are reported.
const MOST_REPORTED: usize = 5;

/// The endpoints to ask for content, in order.
pub(crate) struct Candidates {
    /// The mirrors, which are asked first, with the time limits for mirrors.
    pub(crate) mirrors: Vec<Endpoint>,
    /// The endpoint that is asked last: the registry itself, unless it lacks the capability.
    pub(crate) last: Endpoint,
    /// Mirrors that failed recently. They are asked only when the last endpoint is unavailable.
    pub(crate) paused: Vec<Endpoint>,
    /// The mirrors in `paused`, with their failures.
    pub(crate) skipped: SkippedMirrors,
}

impl Candidates {
    /// Returns `endpoint` as the only candidate.
    pub(crate) fn only(endpoint: Endpoint) -> Self {
        Self {
            mirrors: Vec::new(),
            last: endpoint,
            paused: Vec::new(),
            skipped: SkippedMirrors::default(),
        }
    }

    /// Returns the candidates without the mirrors that have `repository` at this [place](Endpoint::place_of).
    pub(crate) fn without_mirrors_at(mut self, place: &str, repository: &str) -> Self {
        let is_elsewhere = |mirror: &Endpoint| mirror.place_of(repository) != place;
        self.mirrors.retain(is_elsewhere);
        self.paused.retain(is_elsewhere);
        self
    }

    /// Returns the first answer for which `is_enough` returns `true`, or the error of the last endpoint. When the last
    /// endpoint is unavailable, all mirrors are asked once more.
    pub(crate) async fn first<T, F>(
        self,
        ask: impl Fn(Endpoint) -> F,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut skipped = self.skipped;
        for mirror in &self.mirrors {
            match mirror.availability().watch(ask(mirror.clone())).await {
                Ok(answer) if is_enough(&answer) => {
                    mirror.answered();
                    return Ok(answer);
                }
                Ok(_) => {}
                Err(error) => {
                    mirror.failed(&error);
                    skipped.add(mirror.name(), &with_causes(&error));
                }
            }
        }
        let error = match ask(self.last.clone()).await {
            Ok(answer) => {
                self.last.answered();
                return Ok(answer);
            }
            Err(error) => error,
        };
        if error.is_out_of_reach() {
            for mirror in self.mirrors.into_iter().chain(self.paused) {
                match ask(mirror.clone()).await {
                    Ok(answer) if is_enough(&answer) => {
                        mirror.availability().recovered();
                        mirror.answered();
                        return Ok(answer);
                    }
                    _ => {}
                }
            }
        }
        Err(skipped.attach_to(error))
    }

    /// Returns the answer of the last endpoint. If that does not answer within `patience`, denies access or does not have
    /// the content, returns the first answer of a mirror, with the mirror and the error of the last endpoint.
    pub(crate) async fn last_first<T, F>(
        self,
        ask: impl Fn(Endpoint) -> F,
        patience: Duration,
    ) -> Result<(T, Option<(Endpoint, Error)>), Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let error = match ask(self.last.limited_to(patience)).await {
            Ok(answer) => {
                self.last.answered();
                return Ok((answer, None));
            }
            Err(error) => error,
        };
        let is_elsewhere = matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound);
        if !is_elsewhere && !error.is_out_of_reach() {
            return Err(error);
        }
        let mut skipped = SkippedMirrors::default();
        for mirror in self.mirrors.into_iter().chain(self.paused) {
            match ask(mirror.clone()).await {
                Ok(answer) => {
                    mirror.answered();
                    return Ok((answer, Some((mirror, error))));
                }
                Err(error) => skipped.add(mirror.name(), &with_causes(&error)),
            }
        }
        Err(skipped.attach_to(error))
    }
}

/// Mirrors that gave no answer, with their errors.
#[derive(Debug, Clone, Default)]
pub(crate) struct SkippedMirrors(Vec<String>);

impl SkippedMirrors {
    pub(crate) fn add(&mut self, mirror: &str, error: &str) {
        let error = one_line(error);
        self.0.push(if error.contains(mirror) {
            error
        } else {
            format!("{mirror}: {error}")
        });
    }

    /// Adds the errors of the mirrors to the error of the last endpoint when that is unavailable, because a mirror
    /// should have had the content then.
    pub(crate) fn attach_to(&self, error: Error) -> Error {
        if self.0.is_empty() || !error.is_out_of_reach() {
            return error;
        }
        let (reported, more) = self.0.split_at(self.0.len().min(MOST_REPORTED));
        let mut mirrors = reported.join("; ");
        if !more.is_empty() {
            mirrors.push_str(&format!("; and {} more", more.len()));
        }
        Error::NoMirrorEither {
            mirrors,
            last: Box::new(error),
        }
    }
}

#[cfg(test)]
#[path = "tests/candidates.rs"]
mod tests;
