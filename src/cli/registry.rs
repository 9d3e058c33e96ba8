//! Options of the commands that reach a registry, and what they make: references and a client.

use std::ffi::OsStr;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueHint;
use wasmcloud_par::archive::Limits;
use wasmcloud_par::client::{Client, ClientOptions, TrustPolicy};
use wasmcloud_par::oci::{ClientCertificate, CredentialSource, Reference, RegistryOptions};

use super::options::path_or_nothing;
use super::problem::Failure;
use super::session::{Session, blocking, unless_empty};

/// How registries are reached. No `Debug`: one of the options is a password.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Registry options")]
pub(crate) struct RegistryArgs {
    /// The user to log in as. Default: what Docker's `config.json` has for the registry, else nobody
    #[arg(short, long, env = "WASH_REG_USER", value_name = "USER")]
    user: Option<String>,
    /// The password, or a token that stands in for one. Other users of this machine can see it in the
    /// list of processes: prefer the environment variable or --password-stdin. Default: none
    #[arg(
        short,
        long,
        env = "WASH_REG_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    password: Option<String>,
    /// Read the password from the first line of standard input, whatever --password says. Default:
    /// standard input is not read
    #[arg(long)]
    password_stdin: bool,
    /// The password from standard input, which can be read once, and is wanted for each archive.
    #[arg(skip)]
    password_read: Arc<OnceLock<String>>,
    /// Use plain HTTP. Default: HTTPS, except for registries on this machine
    #[arg(long)]
    insecure: bool,
    /// Accept any certificate. Default: certificates are verified
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// A PEM file with certificate authorities to trust besides the system's. May be given several
    /// times. Default: the system's alone
    #[arg(long = "ca", value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate_authorities: Vec<PathBuf>,
    /// A PEM file with a certificate to show to the registry (mutual TLS). Default: what --hosts-dir
    /// has for the registry, else none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_cert: Option<PathBuf>,
    /// A PEM file with the private key of --client-cert. Default: it is in the same file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// A folder that names mirrors and certificates of registries, in the way of containerd's
    /// `certs.d`: `DIR/HOST/hosts.toml`, or `ca.crt`, `client.cert` and `client.key` there. Default:
    /// `wasmcloud-par/hosts` in `$XDG_CONFIG_HOME` or `~/.config`, then `/etc/containerd/certs.d`
    #[arg(
        long,
        env = "PAR_HOSTS_DIR",
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        value_parser = path_or_nothing()
    )]
    hosts_dir: Option<PathBuf>,
    /// A file to read credentials from, in the format of Docker's `config.json`. Default: that file
    /// itself, in `$DOCKER_CONFIG` or `~/.docker`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = path_or_nothing())]
    registry_config: Option<PathBuf>,
    /// How many seconds a registry may keep a transfer from getting further. Until then, requests that
    /// failed are repeated, and transfers that broke off are continued; with 0, none are. Default: 50
    #[arg(long, env = "PAR_PATIENCE", value_name = "SECONDS")]
    patience: Option<u64>,
    /// Let a missing tag mean `latest`, and take the tag `latest`. Default: both are refused, because
    /// what they stand for changes
    #[arg(long)]
    allow_latest: bool,
}

impl RegistryArgs {
    /// A reference as the user wrote it, under the rule for `latest`. `pinned`: a digest is demanded
    /// besides.
    pub(crate) fn reference(&self, argument: &OsStr, pinned: bool) -> Result<Reference> {
        let text = argument.to_string_lossy();
        let reference: Reference = match text.parse() {
            Ok(reference) => reference,
            Err(error) if Path::new(argument).is_file() => bail!(
                anyhow::Error::new(error).context(
                    Failure::usage(format!("{text} is a file where a reference is expected"))
                        .hint("the reference comes first, then the file")
                )
            ),
            Err(error) => bail!(error),
        };
        self.settle(reference, pinned)
    }

    /// Refuses what may be something else tomorrow.
    pub(crate) fn settle(&self, reference: Reference, pinned: bool) -> Result<Reference> {
        if pinned || reference.digest().is_some() {
            return Ok(reference);
        }
        let problem = match reference.tag() {
            Some("latest") => "has the tag `latest`",
            None => "has no tag, which means `latest`",
            Some(_) => return Ok(reference),
        };
        if self.allow_latest {
            return Ok(reference.with_tag("latest")?);
        }
        bail!(
            Failure::usage(format!(
                "{reference} {problem}: what that stands for changes without notice"
            ))
            .hint("name a tag such as `:1.0.0` or a digest, or give --allow-latest")
        )
    }

    /// Sets up the way to registries.
    pub(crate) async fn client(&self, session: &Session, issuers: &[String]) -> Result<Client> {
        let (args, session) = (self.clone(), session.clone());
        let trust = TrustPolicy {
            issuers: issuers.to_vec(),
        };
        // Reads files, and standard input perhaps.
        blocking(move || {
            let mut registry = RegistryOptions::default();
            registry.credentials = CredentialSource {
                explicit: args.credentials()?,
                registry_config: unless_empty(args.registry_config),
            };
            registry.plain_http = args.insecure;
            registry.skip_tls_verify = args.insecure_skip_tls_verify;
            registry.certificate_authorities = args.certificate_authorities;
            registry.client_certificate = args
                .client_cert
                .map(|certificate| ClientCertificate::new(certificate, args.client_key));
            registry.hosts_directory = unless_empty(args.hosts_dir);
            if let Some(seconds) = args.patience {
                registry.retry.patience = Duration::from_secs(seconds);
            }
            Ok(Client::new(ClientOptions {
                cache_directory: session.cache_directory().map(Path::to_owned),
                registry,
                trust,
                limits: Limits::default(),
                progress: session.progress().clone(),
            })?)
        })
        .await
    }

    fn password_from(&self, input: impl BufRead) -> Result<String> {
        if let Some(password) = self.password_read.get() {
            return Ok(password.clone());
        }
        let password = read_password(input)?;
        Ok(self.password_read.get_or_init(|| password).clone())
    }

    /// An environment variable that is set to nothing counts as unset.
    fn credentials(&self) -> Result<Option<(String, String)>> {
        let given = |option: &Option<String>| option.clone().filter(|value| !value.is_empty());
        let password = match self.password_stdin {
            true => Some(self.password_from(std::io::stdin().lock())?),
            false => given(&self.password),
        };
        match (given(&self.user), password) {
            (Some(user), Some(password)) => Ok(Some((user, password))),
            (None, None) => Ok(None),
            (Some(_), None) => bail!(
                Failure::usage("there is a user and no password")
                    .hint("give WASH_REG_PASSWORD, --password-stdin or --password")
            ),
            (None, Some(_)) => bail!(
                Failure::usage("there is a password and no user")
                    .hint("give --user or WASH_REG_USER")
            ),
        }
    }
}

fn read_password(input: impl BufRead) -> Result<String> {
    const LONGEST: u64 = 64 * 1024;
    let mut line = String::new();
    input.take(LONGEST).read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!(Failure::usage("there is no password on standard input"));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        registry: RegistryArgs,
    }

    fn args(line: &str) -> RegistryArgs {
        Line::parse_from(line.split(' ')).registry
    }

    fn settled(line: &str, reference: &str) -> Option<String> {
        let settled = args(line).reference(OsStr::new(reference), false);
        settled.ok().map(|reference| reference.to_string())
    }

    #[test]
    fn latest_and_missing_tags_need_permission() {
        let digest = wasmcloud_par::content::Digest::of(b"");
        let pinned = format!("ghcr.io/org/provider@{digest}");
        for reference in ["ghcr.io/org/provider", "ghcr.io/org/provider:latest"] {
            assert_eq!(settled("par", reference), None);
            let allowed = settled("par --allow-latest", reference);
            assert_eq!(allowed.as_deref(), Some("ghcr.io/org/provider:latest"));
        }
        assert_eq!(settled("par", &pinned), Some(pinned.clone()));
        assert_eq!(settled("par --allow-latest", &pinned), Some(pinned));
        let unpinned = args("par").reference(OsStr::new("ghcr.io/org/provider"), true);
        assert!(unpinned.is_ok());
    }

    #[test]
    fn a_user_and_a_password_come_together() {
        let both = args("par -u jane -p secret").credentials().unwrap();
        assert_eq!(both, Some(("jane".to_owned(), "secret".to_owned())));
        assert!(args("par --user=jane --password=").credentials().is_err());
        assert!(args("par --user= --password=secret").credentials().is_err());
        assert_eq!(args("par --user= --password=").credentials().unwrap(), None);
    }

    #[test]
    fn a_password_is_read_once_for_all_archives_of_a_command() {
        let args = args("par --user=jane --password-stdin");
        let first = args.clone().password_from(&b"secret\n"[..]).unwrap();
        let again = args.password_from(&b""[..]).unwrap();
        assert_eq!((first.as_str(), again.as_str()), ("secret", "secret"));
    }

    #[test]
    fn a_password_is_the_first_line_without_its_end() {
        assert_eq!(
            read_password(&b" s3 cret \r\nmore"[..]).unwrap(),
            " s3 cret "
        );
        assert!(read_password(&b"\n"[..]).is_err());
    }
}
