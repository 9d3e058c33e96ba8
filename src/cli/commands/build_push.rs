//! The destination to which `par build` pushes the archive.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cli::arguments::{RegistryArgs, TrustArgs};
use crate::cli::build::Project;
use crate::cli::files::read_small;
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{Client, PushOptions};
use crate::oci::Reference;

use super::pinned;
use super::push::{PublishArgs, answer, tell};

/// The destination of an archive, and the options for the push.
pub(super) struct Destination {
    client: Client,
    options: PushOptions,
    reference: Reference,
    /// Whether the version of the archive becomes the tag.
    wants_version: bool,
    registry: RegistryArgs,
}

/// A user and a password in the file of `credentials`, as `wash` reads it.
#[derive(Deserialize)]
struct Credentials {
    username: Option<String>,
    password: Option<String>,
}

impl Destination {
    /// Reads the options, and the table `registry` of the project. If `reference` is empty, the `url` of the project is
    /// used.
    pub(super) async fn open(
        reference: &OsStr,
        project: &Project,
        publish: PublishArgs,
        mut registry: RegistryArgs,
        trust: TrustArgs,
        created: Option<u64>,
        session: &Session,
    ) -> Result<Self> {
        let is_given = !reference.is_empty();
        let (reference, wants_version) = if is_given {
            (publish.reference(&registry, reference)?, false)
        } else {
            let Some(url) = &project.registry.url else {
                let message = "the project does not say where to push";
                let hint = "give a reference to --push, or write `url` in the table [registry]";
                bail!(Failure::usage(message).hint(hint));
            };
            let bare = url.parse::<Reference>().with_context(|| {
                Failure::usage(format!("`url` in the table [registry] is `{url}`"))
            })?;
            if bare.tag().is_none() && bare.digest().is_none() && !publish.is_tagged() {
                (bare, true)
            } else {
                (publish.reference(&registry, OsStr::new(url))?, false)
            }
        };
        let credentials = match (&project.registry.credentials, &reference) {
            (Some(path), Reference::Registry(place)) => {
                let (path, host) = (path.clone(), place.registry().to_owned());
                blocking(move || credentials(&path, &host)).await?
            }
            _ => None,
        };
        registry.add_defaults(project.registry.push_insecure && !is_given, credentials);
        let options = publish.options(created, session).await?;
        let client = registry.client(session, trust.policy().await?).await?;
        Ok(Self {
            client,
            options,
            reference,
            wants_version,
            registry,
        })
    }

    /// Pushes the archive, and returns the answer.
    pub(super) async fn push(
        self,
        archive: &Path,
        version: Option<&str>,
        session: &Session,
    ) -> Result<Answer> {
        let reference = match version {
            Some(version) if self.wants_version => self.reference.with_tag(version)?,
            _ => self.reference,
        };
        let reference = if self.wants_version {
            self.registry.settle(reference, false)?
        } else {
            reference
        };
        let pushed = self.client.push(archive, &reference, self.options).await;
        let pushed = pushed.map_err(pinned::explain)?;
        tell(&pushed, None, session);
        Ok(answer(&pushed))
    }
}

/// Returns the user and the password for a registry.
fn credentials(path: &Path, registry: &str) -> Result<Option<(String, String)>> {
    let name = path_text(path);
    let text = read_small(path, &name)?;
    let known: Result<BTreeMap<String, Credentials>, _> = serde_json::from_slice(&text);
    // The error of the parser would quote secrets.
    let Ok(mut known) = known else {
        let message = format!("{name} is not a JSON object with credentials for each registry");
        let hint =
            "write {\"REGISTRY\": {\"username\": \"…\", \"password\": \"…\"}}, or use `par login`";
        bail!(Failure::usage(message).hint(hint));
    };
    let Some(found) = known.remove(registry) else {
        return Ok(None);
    };
    Ok(found.username.zip(found.password))
}
