//! Doctor: finds out whether a registry and this machine can be used.

mod executable;
mod finding;
mod machine;
mod ranges;
mod registry;
mod uploads;

use crate::oci::{Place, Reference};

use super::client::Client;
use super::error::Error;

pub use finding::{Advice, Check, Diagnosis, Finding, Verdict};

impl Client {
    /// Finds out whether `place` can be used, and how well. Each request is sent once, and is given up after
    /// five seconds.
    ///
    /// If `place` has no repository, only the registry is checked. With a repository and `push`, uploads are tried too:
    /// small random blobs and a manifest, some hundred bytes in all, are pushed without a tag and then deleted. They stay
    /// if the registry does not allow deleting, or if the future is dropped before. Without `push`, nothing is sent.
    ///
    /// When the registry is unavailable and a mirror answers instead, that mirror is checked.
    ///
    /// # Errors
    ///
    /// A problem of this machine, such as a `hosts.toml` that cannot be read. Problems of the registry are in the
    /// [`Diagnosis`].
    #[tracing::instrument(skip_all, fields(%place))]
    pub async fn doctor(&self, place: &Place, push: bool) -> Result<Diagnosis, Error> {
        Ok(registry::diagnose(&self.registries, place, push).await?)
    }

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
        let machine = self.blocking(|client| Ok(machine::check(client.cache())));
        diagnosis.findings.extend(machine.await?);
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
            executable::check(self, &reference).await
        });
        Ok(diagnosis)
    }
}
