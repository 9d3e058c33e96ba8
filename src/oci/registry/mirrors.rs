//! Mirrors come first: asking one host after the other, and what is told of those that failed.

use std::sync::Arc;

use crate::content::{ErrorKind, whole};

use super::super::error::{Error, one_line};
use super::hosted::HostedRepository;

/// Of how many mirrors is told what they said.
const MOST_TOLD: usize = 5;

/// The hosts that are asked for something, in their order.
pub(super) struct Hosts {
    /// Each is asked quickly.
    pub(super) mirrors: Vec<HostedRepository>,
    /// Asked last, and with patience: the registry itself, unless it may not be asked.
    pub(super) last: HostedRepository,
    /// Mirrors that are not to be asked while there is somebody else,
    pub(super) avoided: Vec<HostedRepository>,
    /// and what became of them.
    pub(super) passed_over: PassedOver,
}

impl Hosts {
    /// What the first host gives that gives enough. The error is that of the last. When that is away, there
    /// are only the mirrors, and each of them is asked once more.
    pub(super) async fn first<T, F>(
        self,
        ask: impl Fn(HostedRepository) -> F,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut passed_over = self.passed_over;
        for mirror in &self.mirrors {
            let route = Arc::clone(&mirror.route);
            match route.while_waiting(ask(mirror.clone())).await {
                Ok(answer) if is_enough(&answer) => return Ok(answer),
                Ok(_) => {}
                Err(error) => {
                    route.failed(&error);
                    passed_over.note(route.name(), &whole(&error));
                }
            }
        }
        let error = match ask(self.last).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Unavailable {
            for mirror in self.mirrors.into_iter().chain(self.avoided) {
                let route = Arc::clone(&mirror.route);
                match ask(mirror).await {
                    Ok(answer) if is_enough(&answer) => {
                        route.is_back();
                        return Ok(answer);
                    }
                    _ => {}
                }
            }
        }
        Err(passed_over.told_with(error))
    }
}

/// What became of mirrors that did not have what was wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct PassedOver(Vec<String>);

impl PassedOver {
    pub(super) fn note(&mut self, mirror: &str, why: &str) {
        let why = one_line(why);
        self.0.push(match why.contains(mirror) {
            true => why,
            false => format!("{mirror}: {why}"),
        });
    }

    /// The error of the last host. When that is away, it was for the mirrors to have it, and what they said
    /// is told too.
    pub(super) fn told_with(&self, error: Error) -> Error {
        if self.0.is_empty() || error.kind() != ErrorKind::Unavailable {
            return error;
        }
        let (told, more) = self.0.split_at(self.0.len().min(MOST_TOLD));
        let mut mirrors = told.join("; ");
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
mod tests {
    use super::*;

    #[test]
    fn what_many_mirrors_say_is_bounded() {
        let mut passed_over = PassedOver::default();
        for number in 0..MOST_TOLD + 3 {
            passed_over.note(&format!("mirror{number}"), &"no\n".repeat(1000));
        }
        let error = passed_over.told_with(Error::Stalled {
            what: "manifest".to_owned(),
            address: "https://registry".to_owned(),
            seconds: 5,
        });
        let text = error.to_string();
        assert!(text.contains("mirror4: no no"), "{text}");
        assert!(!text.contains("mirror5"), "{text}");
        assert!(text.contains("; and 3 more"), "{text}");
        assert!(!text.contains('\n') && text.len() < 2000, "{text}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
