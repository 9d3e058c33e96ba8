//! Options of the commands that reach a registry, and making references and a client from them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::cli::output::{Failure, layout_hint};
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};
use crate::client::{Client, ClientOptions, TrustPolicy};
use crate::content::ErrorKind;
use crate::oci::{
    ClientCertificate, CredentialSource, Place, Reference, RegistryOptions, RegistryReference,
};

use super::credentials::{CredentialArgs, PASSWORD_ON_COMMAND_LINE};
use super::inputs::Input;
use super::side::Side;

/// The tag that a reference without one stands for.
const LATEST: &str = "latest";

/// How registries are reached, and which references are accepted.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Registry options")]
pub(crate) struct RegistryArgs {
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    /// Use plain HTTP. Default: HTTPS, except for registries on this machine
    #[arg(long)]
    insecure: bool,
    /// Accept any certificate. Default: certificates are verified
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// A PEM file with certificate authorities to trust besides the system's. May be given several
    /// times. Default: only the system's
    #[arg(long = "ca", value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate_authorities: Vec<PathBuf>,
    /// A PEM file with a certificate to present to the registry (mutual TLS). Default: the one that
    /// --hosts-dir has for the registry, else none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_cert: Option<PathBuf>,
    /// A PEM file with the private key of --client-cert. Default: it is in the same file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// A directory that names mirrors and certificates of registries, like containerd's `certs.d`:
    /// `DIR/HOST/hosts.toml`, or `ca.crt`, `client.cert` and `client.key` there. Default:
    /// `wasmcloud-par/hosts` in `$XDG_CONFIG_HOME` or `~/.config`, then `/etc/containerd/certs.d`
    #[arg(
        long,
        env = "PAR_HOSTS_DIR",
        value_name = "DIR",
        value_hint = ValueHint::DirPath
    )]
    hosts_dir: Option<PathBuf>,
    /// A file to read credentials from, in the format of Docker's `config.json`. Default:
    /// `$REGISTRY_AUTH_FILE`, else Docker's `config.json` and Podman's `auth.json`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    registry_config: Option<PathBuf>,
    /// How many seconds a transfer may make no progress. Until then, failed requests are repeated and interrupted
    /// transfers are continued. 0 disables both, and the only attempt may make no progress for 30 seconds. Default: 50
    #[arg(long, env = "PAR_PATIENCE", value_name = "SECONDS")]
    patience: Option<u64>,
    /// The number of connections, up to 8, that download an archive of 16 MiB or more. Several are faster
    /// if the registry limits the speed of each connection, or is far away. Default: 1
    #[arg(
        long,
        env = "PAR_CONNECTIONS",
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..=8)
    )]
    connections: Option<u8>,
    /// Accept the tag `latest`, and references without a tag, which mean `latest`. Default: both are
    /// refused, because what they name changes
    #[arg(long)]
    allow_latest: bool,
}

impl RegistryArgs {
    /// Returns the files that the options name.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let files = self.certificate_authorities.iter();
        let files = files.chain(&self.client_cert).chain(&self.client_key);
        let files = files.chain(&self.registry_config);
        let what = "a file with certificates or credentials";
        files.map(|path| (what, path.clone())).collect()
    }

    /// Parses a reference, and refuses the tag `latest` unless it is allowed. With `pinned`, any tag is
    /// accepted: something else determines the digest.
    pub(crate) fn reference(&self, argument: &OsStr, pinned: bool) -> Result<Reference> {
        let hint = "read archives in files with `par inspect`, `par verify`, `par diff` and `par extract`, or \
                    push one to a registry or an image layout with `par push`";
        self.settle(parse(argument, hint)?, pinned)
    }

    /// Parses the reference of a command whose next argument is a file. With `is_tagged`, other options give the
    /// tags, so that the reference needs none.
    pub(crate) fn reference_before_file(
        &self,
        argument: &OsStr,
        is_tagged: bool,
    ) -> Result<Reference> {
        let reference = parse(argument, "give the reference first, then the file")?;
        let needs_none = is_tagged && reference.tag().is_none();
        self.settle(reference, needs_none)
    }

    /// Checks a tag that is to be added to the repository of `reference`. Refuses `latest` unless it is allowed.
    /// `command` is the command line up to the tag, for a hint.
    pub(crate) fn settle_new_tag(
        &self,
        reference: &Reference,
        tag: &str,
        command: &str,
    ) -> Result<()> {
        if let Ok(whole) = tag.parse::<Reference>()
            && let Some(alone) = whole.tag()
        {
            bail!(
                Failure::usage(format!("`{tag}` is a reference, not a tag")).hint(format!(
                    "write only the tag, as in `{command} {alone}`, or copy to another repository with \
                     `par copy`"
                ))
            );
        }
        reference.with_tag(tag)?;
        self.settle_tag(tag)
    }

    /// Refuses to write the tag `latest` unless it is allowed.
    pub(crate) fn settle_tag(&self, tag: &str) -> Result<()> {
        if tag != LATEST || self.allow_latest {
            return Ok(());
        }
        let message = format!("the tag is `{LATEST}`, which can name another manifest at any time");
        bail!(Failure::usage(message).hint("give another tag, such as `1.0.0`, or --allow-latest"))
    }

    /// Refuses a reference with the tag `latest`, or without a tag, unless that is allowed. An image layout has no
    /// default tag: without a tag, its only manifest is meant.
    pub(crate) fn settle(&self, reference: Reference, pinned: bool) -> Result<Reference> {
        let hint = "name a tag such as `:1.0.0` or a digest, or give --allow-latest";
        self.settle_with_hint(reference, pinned, hint)
    }

    /// [Settles](Self::settle) a reference. The error about a missing tag has this hint.
    pub(super) fn settle_with_hint(
        &self,
        reference: Reference,
        pinned: bool,
        hint: &str,
    ) -> Result<Reference> {
        if pinned || reference.digest().is_some() {
            return Ok(reference);
        }
        let problem = match reference.tag() {
            Some(LATEST) => "has the tag `latest`",
            None if matches!(reference, Reference::Layout(_)) && !self.allow_latest => {
                return Ok(reference);
            }
            None => "has no tag, which means `latest`",
            Some(_) => return Ok(reference),
        };
        if self.allow_latest {
            return Ok(reference.with_tag(LATEST)?);
        }
        let message = format!("{reference} {problem}, which can name another manifest at any time");
        bail!(Failure::usage(message).hint(hint))
    }

    /// Uses the settings of a project file where the command line has none.
    pub(crate) fn add_defaults(&mut self, insecure: bool, credentials: Option<(String, String)>) {
        self.insecure |= insecure;
        if let Some((user, password)) = credentials
            && self.registry_config.is_none()
        {
            self.credentials.add_default(user, password);
        }
    }

    /// Returns a client with these options.
    pub(crate) async fn client(&self, session: &Session, trust: TrustPolicy) -> Result<Client> {
        let credentials = self.credentials.clone();
        // The password may be read from standard input.
        let explicit = detached(move || credentials.given()).await?;
        let (args, session) = (self.clone(), session.clone());
        // Blocking, because files are read.
        blocking(move || {
            // The library would treat a missing file as empty.
            if let Some(path) = args.registry_config.as_ref().filter(|path| !path.exists()) {
                let path = path.display();
                let message = format!("the file with credentials, {path}, does not exist");
                let hint =
                    "name another file with --registry-config, or create it with `par login`";
                bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
            }
            if args.credentials.on_command_line() && args.credentials.is_first_use() {
                session.warn(PASSWORD_ON_COMMAND_LINE);
            }
            let registry = RegistryOptions {
                answering: Some(session.answering()),
                ..args.options(explicit)
            };
            let mut options = ClientOptions::default()
                .registry(registry)
                .trust(trust)
                .progress(session.progress().clone());
            options.cache_directory = session.cache_directory().map(Path::to_owned);
            options.state_directory = session.state_directory().map(Path::to_owned);
            Ok(Client::new(options)?)
        })
        .await
    }

    /// Returns the options for the library, with these credentials.
    pub(crate) fn options(&self, explicit: Option<(String, String)>) -> RegistryOptions {
        let certificate = self.client_cert.clone();
        let mut registry = RegistryOptions {
            credentials: CredentialSource {
                explicit,
                registry_config: self.registry_config.clone(),
                ..CredentialSource::default()
            },
            plain_http: self.insecure,
            skip_tls_verify: self.insecure_skip_tls_verify,
            certificate_authorities: self.certificate_authorities.clone(),
            client_certificate: certificate
                .map(|certificate| ClientCertificate::new(certificate, self.client_key.clone())),
            hosts_directory: self.hosts_dir.clone(),
            connections: self.connections.and_then(|n| NonZeroUsize::new(n.into())),
            ..RegistryOptions::default()
        };
        if let Some(seconds) = self.patience {
            registry.retry.patience = Duration::from_secs(seconds);
        }
        registry
    }

    /// Returns these options, replaced by the options of one side where that side has some. A common user or password that only
    /// completes the options of the other side is left out.
    pub(super) fn with(&self, side: &Side, other: &Side) -> Self {
        let given = side.registry_config.clone();
        let mut args = Self {
            credentials: self.credentials.with(side, other),
            // If the user gives TLS options for this side, its registry uses TLS, so a common --insecure is not meant
            // for it.
            insecure: side.insecure || self.insecure && !side.has_tls_settings(),
            insecure_skip_tls_verify: side.skip_tls_verify || self.insecure_skip_tls_verify,
            registry_config: given.or_else(|| self.registry_config.clone()),
            ..self.clone()
        };
        if !side.certificate_authorities.is_empty() {
            args.certificate_authorities = side.certificate_authorities.clone();
        }
        if side.client_cert.is_some() {
            args.client_cert = side.client_cert.clone();
            args.client_key = side.client_key.clone();
        }
        args
    }

    /// Refuses one user and password for several registries if options give them. If environment variables give them,
    /// ignores the variables with a warning, because they may be set for another command.
    pub(crate) fn share<'a>(
        &mut self,
        references: impl IntoIterator<Item = &'a Reference>,
        session: &Session,
    ) -> Result<()> {
        let registries = references.into_iter().filter_map(|place| match place {
            Reference::Registry(place) => Some(place.registry()),
            Reference::Layout(_) => None,
        });
        let registries: Vec<&str> = BTreeSet::from_iter(registries).into_iter().collect();
        let several = match registries.as_slice() {
            [] | [_] => return Ok(()),
            _ if !self.credentials.any() => return Ok(()),
            [one, other] => format!("two registries, {one} and {other}"),
            more => format!("{} registries", more.len()),
        };
        if self.credentials.in_variables() {
            self.credentials.leave_out_variables();
            session.warn(&format!(
                "ignoring WASH_REG_USER and WASH_REG_PASSWORD: they name no registry, and the command reaches {several}"
            ));
            return Ok(());
        }
        let message = format!("one user and one password are given for {several}");
        let hint = "store them with `par login` for each registry, and leave out --user and the password; `par copy`, \
                    `par diff`, `par mirror` and `par export` take them for each side, as --from-user and --to-user";
        bail!(Failure::usage(message).hint(hint))
    }
}

/// Parses a reference. `hint` says what to do if the argument is a file.
fn parse(argument: &OsStr, hint: &str) -> Result<Reference> {
    let text = argument.to_string_lossy();
    match text.parse() {
        Ok(reference) => Ok(reference),
        // A message about the syntax of references would not help a user who means the file.
        Err(error) => {
            let hint = match layout_hint(&text) {
                Some(layout) => format!("{layout}; otherwise {hint}"),
                None => hint.to_owned(),
            };
            refuse_existing_file(argument, &hint)?;
            Err(error.into())
        }
    }
}

/// Parses the name of a registry, or of a repository in one. Refuses the name of an existing file: it may have the form of
/// the name of a registry, as `image.tar` has.
pub(crate) fn place(text: &str) -> Result<Place> {
    let hint = format!(
        "name a registry or a repository in one; write oci://{text} if a registry has this name"
    );
    refuse_existing_file(text.as_ref(), &hint)?;
    Ok(text.parse()?)
}

/// Returns an error if the argument, which has to be a reference, names an existing file.
pub(crate) fn refuse_existing_file(argument: &OsStr, hint: &str) -> Result<()> {
    if Path::new(argument).is_file() {
        let message = format!("{} is a file, not a reference", argument.to_string_lossy());
        bail!(Failure::usage(message).hint(hint));
    }
    Ok(())
}

/// Returns the repository of a place. Fails if the place is a registry; `reason` ends the message.
pub(crate) fn require_repository<'a>(
    place: &'a Place,
    reason: &str,
) -> Result<&'a RegistryReference> {
    match place.reference() {
        Some(repository) => Ok(repository),
        None => bail!(
            Failure::usage(format!("{place} is a registry, {reason}"))
                .hint(format!("name a repository: {place}/REPOSITORY"))
        ),
    }
}

/// Does what [`require_repository`] does, and fails if the place has a tag or a digest too.
pub(crate) fn require_whole_repository<'a>(
    place: &'a Place,
    reason: &str,
) -> Result<&'a RegistryReference> {
    let repository = require_repository(place, reason)?;
    if repository.tag().is_some() || repository.digest().is_some() {
        let message = format!("{repository} names a manifest, not a repository");
        let hint = format!("name the repository: {place}");
        bail!(Failure::usage(message).hint(hint));
    }
    Ok(repository)
}

/// The name of a registry: a host, with a port if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegistryName(pub(crate) String);

impl FromStr for RegistryName {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        // The name of a file, such as `image.tar`, may have the form of the name of a host.
        if Path::new(written).is_file() {
            return Err(format!(
                "{written} is a file, not a registry: name a host, such as `ghcr.io` or `localhost:5000`"
            ));
        }
        // Users copy addresses from browsers, with a scheme, and references.
        let host = ["https://", "http://", "oci://"]
            .iter()
            .find_map(|scheme| written.strip_prefix(scheme));
        let host = host.unwrap_or(written).trim_end_matches('/');
        match format!("{host}/repository").parse() {
            Ok(Reference::Registry(reference)) if !host.contains('/') => {
                Ok(Self(reference.registry().to_owned()))
            }
            _ => Err("name a host, such as `ghcr.io` or `localhost:5000`".to_owned()),
        }
    }
}

#[cfg(test)]
#[path = "tests/registry.rs"]
mod tests;
