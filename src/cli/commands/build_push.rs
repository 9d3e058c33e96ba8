//! The destination to which `par build` pushes the archive.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use clap::ValueHint;
use serde::Deserialize;

use crate::cli::arguments::{OnCommandLine, RegistryArgs, TrustArgs};
use crate::cli::build::Project;
use crate::cli::files::read_small;
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{self, Client, PushOptions, TrustError};
use crate::oci::Reference;

use super::pinned;
use super::push::{PublishArgs, answer, tell};

/// The options for the push.
#[derive(clap::Args)]
pub(super) struct PushArgs {
    #[command(flatten)]
    publish: PublishArgs,
    /// The trust policy, a TOML file: an archive that it does not allow is not pushed. Default:
    /// `wasmcloud-par/trust.toml` in `$XDG_CONFIG_HOME` or `~/.config` if it exists, else any issuer is allowed
    #[arg(
        long,
        env = "PAR_TRUST",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = "Trust options"
    )]
    trust: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

impl OnCommandLine<PushArgs> {
    /// Refuses options for the push on the command line, for a build without one.
    pub(super) fn refuse(&self) -> Result<()> {
        // `-p` names the project for `wash build`. Here, another project would be built.
        if self.options.registry.credentials.on_command_line() {
            bail!(
                Failure::usage("a password is given, but the archive is not pushed")
                    .hint("name the project with --config-path, or give --push")
            );
        }
        if let Some(option) = &self.first {
            let hint = format!("add --push to push the archive, or leave {option} out");
            bail!(Failure::usage(format!("{option} needs --push")).hint(hint));
        }
        Ok(())
    }
}

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
        args: PushArgs,
        created: Option<u64>,
        session: &Session,
    ) -> Result<Self> {
        let PushArgs {
            publish,
            trust,
            mut registry,
        } = args;
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
        let trust = TrustArgs::of(trust).policy().await?;
        let client = registry.client(session, trust).await?;
        Ok(Self {
            client,
            options,
            reference,
            wants_version,
            registry,
        })
    }

    /// Returns the destination of an archive with this version. The version becomes the tag if there is no other one.
    pub(super) fn tagged(mut self, version: Option<&str>) -> Result<Self> {
        if !self.wants_version {
            return Ok(self);
        }
        if let Some(version) = version {
            let bare = &self.reference;
            let tagged = bare.with_tag(version).with_context(|| {
                let message = format!("the version `{version}` cannot be the tag of {bare}");
                Failure::usage(message).hint(format!("name another tag: `--push {bare}:TAG`"))
            });
            self.reference = tagged?;
        }
        self.reference = self.registry.settle(self.reference, false)?;
        Ok(self)
    }

    /// Pushes the archive, and returns the answer.
    pub(super) async fn push(self, archive: &Path, session: &Session) -> Result<Answer> {
        let pushed = self
            .client
            .push(archive, &self.reference, self.options)
            .await;
        let pushed = pushed.map_err(explain)?;
        tell(&pushed, None, session);
        Ok(answer(&pushed))
    }
}

/// Adds what the user of `par build` can do about a refusal of the trust policy. The hints for other commands name
/// --issuer, which is the key that signs here, and --min-revision, which does not exist here.
fn explain(error: client::Error) -> Error {
    let hint = match error.as_trust() {
        Some(TrustError::UntrustedIssuer { .. }) => {
            "sign with a key that the trust policy allows, or allow the issuer there"
        }
        Some(TrustError::Revoked { .. }) => "sign with another key",
        Some(TrustError::NoRule(_)) => "add a rule for the repository to the trust policy",
        Some(TrustError::TooOld { .. } | TrustError::NoRevision { .. }) => {
            "build with a higher --revision, or change `min-revision` in the trust policy"
        }
        _ => return pinned::explain(error),
    };
    let failure = Failure::new(error.kind(), "the archive was built, but not pushed").hint(hint);
    Error::new(error).context(failure)
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
