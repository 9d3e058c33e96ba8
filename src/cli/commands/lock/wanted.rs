//! The references to lock: those of a deployment, or some of the lock file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::arguments::{Deployment, RegistryArgs};
use crate::cli::failures::Failures;
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::client::Lock;
use crate::content::ErrorKind;
use crate::oci::Reference;

/// The largest number of references in a lock file.
const LIMIT: usize = 1000;

/// The references to lock.
pub(super) struct Wanted {
    /// The references, sorted and without duplicates.
    pub(super) references: Vec<Reference>,
    pub(super) deployments: Vec<Deployment>,
}

impl Wanted {
    /// Reads the files of the deployment.
    pub(super) async fn in_files(
        files: &[PathBuf],
        registry: &RegistryArgs,
        session: &Session,
        failures: &mut Failures,
    ) -> Result<Self> {
        let mut references = BTreeMap::new();
        let mut deployments = Vec::new();
        for file in files {
            let deployment = match Deployment::read(file.clone()).await {
                Ok(deployment) => deployment,
                Err(error) => {
                    failures.add(path_text(file), &error);
                    continue;
                }
            };
            for (written, reference) in deployment.references(registry, session) {
                match reference {
                    Ok(reference) => {
                        if let Err(error) = add(&mut references, reference) {
                            failures.add(written, &error.into());
                        }
                    }
                    Err(error) => failures.add(written, &error),
                }
            }
            deployments.push(deployment);
        }
        if references.is_empty() && failures.is_empty() {
            let message = "the deployment has no provider to lock";
            let hint = "remove the lock file if the deployment needs none any more";
            bail!(Failure::usage(message).hint(hint));
        }
        if references.len() > LIMIT {
            bail!(Failure::usage(format!(
                "cannot lock {} references in one file; the limit is {LIMIT}",
                references.len()
            )));
        }
        Ok(Self {
            references: references.into_values().collect(),
            deployments,
        })
    }

    /// Finds the references to renew in the lock.
    pub(super) fn in_lock(
        update: &[OsString],
        registry: &RegistryArgs,
        lock: &Lock,
        path: &Path,
        failures: &mut Failures,
    ) -> Result<Self> {
        let mut references = BTreeMap::new();
        for written in update {
            let reference = registry.reference(written, true)?;
            match lock.find(&reference) {
                Some(locked) => {
                    references.insert(locked.reference.to_string(), locked.reference.clone());
                }
                None => {
                    let message =
                        format!("{reference} is not in the lock file {}", path_text(path));
                    let failure = Failure::new(ErrorKind::NotFound, message)
                        .hint("add it to the deployment, and lock that with `par lock FILE`");
                    failures.add(reference.to_string(), &failure.into());
                }
            }
        }
        Ok(Self {
            references: references.into_values().collect(),
            deployments: Vec::new(),
        })
    }
}

/// Adds a reference under the name of its entry. A reference with a digest is kept in place of the same tag without one.
fn add(references: &mut BTreeMap<String, Reference>, reference: Reference) -> Result<(), Failure> {
    let name = reference.unpinned().to_string();
    let Some(known) = references.get_mut(&name) else {
        references.insert(name, reference);
        return Ok(());
    };
    match (known.digest(), reference.digest()) {
        (Some(one), Some(other)) if one != other => {
            let message = format!("{name} has two digests: {one} and {other}");
            return Err(Failure::usage(message).hint("give both places the same digest"));
        }
        (None, Some(_)) => *known = reference,
        _ => {}
    }
    Ok(())
}
