//! Options of the commands that reach two registries: those for both, and those for one side.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;

use crate::cli::session::Session;
use crate::oci::Reference;

use super::reached::Reached;
use super::registry::RegistryArgs;
use super::side::{FROM, Side, TO};

/// Defines the options of one side, whose names begin with the name of the side.
macro_rules! side {
    ($name:ident, $constant:ident, $side:literal, $argument:literal) => {
        #[derive(Clone, clap::Args)]
        #[command(next_help_heading = concat!("Registry options for ", $argument, " alone"))]
        pub(crate) struct $name {
            #[arg(
                id = concat!($side, "_user"),
                long = concat!($side, "-user"),
                value_name = "USER",
                help = concat!("The user to log in as at the registry of ", $argument, ". Default: as --user says")
            )]
            user: Option<String>,
            #[arg(
                id = concat!($side, "_password"),
                long = concat!($side, "-password"),
                value_name = "PASSWORD",
                help = concat!(
                    "The password for the registry of ", $argument, ", which other users of this machine can see. ",
                    "Default: as --password says"
                )
            )]
            password: Option<String>,
            #[arg(
                id = concat!($side, "_password_stdin"),
                long = concat!($side, "-password-stdin"),
                conflicts_with = concat!($side, "_password"),
                help = concat!(
                    "Read the password for the registry of ", $argument, " from a line of standard input. When both ",
                    "sides read one, that of the first side is the first line. Default: as --password-stdin says"
                )
            )]
            password_stdin: bool,
            #[arg(
                id = concat!($side, "_insecure"),
                long = concat!($side, "-insecure"),
                help = concat!("Use plain HTTP for the registry of ", $argument, ". Default: as --insecure says")
            )]
            insecure: bool,
            #[arg(
                id = concat!($side, "_insecure_skip_tls_verify"),
                long = concat!($side, "-insecure-skip-tls-verify"),
                help = concat!(
                    "Accept any certificate of the registry of ", $argument,
                    ". Default: as --insecure-skip-tls-verify says"
                )
            )]
            skip_tls_verify: bool,
            #[arg(
                id = concat!($side, "_ca"),
                long = concat!($side, "-ca"),
                value_name = "FILE",
                value_hint = ValueHint::FilePath,
                help = concat!(
                    "A PEM file with certificate authorities to trust for the registry of ", $argument,
                    ". May be given several times. Default: as --ca says"
                )
            )]
            certificate_authorities: Vec<PathBuf>,
            #[arg(
                id = concat!($side, "_client_cert"),
                long = concat!($side, "-client-cert"),
                value_name = "FILE",
                value_hint = ValueHint::FilePath,
                help = concat!(
                    "A PEM file with a certificate to present to the registry of ", $argument,
                    ". Default: as --client-cert says"
                )
            )]
            client_cert: Option<PathBuf>,
            #[arg(
                id = concat!($side, "_client_key"),
                long = concat!($side, "-client-key"),
                value_name = "FILE",
                value_hint = ValueHint::FilePath,
                requires = concat!($side, "_client_cert"),
                help = concat!(
                    "A PEM file with the private key of --", $side,
                    "-client-cert. Default: it is in the same file"
                )
            )]
            client_key: Option<PathBuf>,
            #[arg(
                id = concat!($side, "_registry_config"),
                long = concat!($side, "-registry-config"),
                value_name = "FILE",
                value_hint = ValueHint::FilePath,
                help = concat!(
                    "A file to read credentials for the registry of ", $argument,
                    " from. Default: as --registry-config says"
                )
            )]
            registry_config: Option<PathBuf>,
        }

        impl From<&$name> for Side {
            fn from(args: &$name) -> Self {
                let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
                Self {
                    name: Some($constant),
                    user: given(&args.user),
                    password: given(&args.password),
                    password_stdin: args.password_stdin,
                    insecure: args.insecure,
                    skip_tls_verify: args.skip_tls_verify,
                    certificate_authorities: args.certificate_authorities.clone(),
                    client_cert: args.client_cert.clone(),
                    client_key: args.client_key.clone(),
                    registry_config: args.registry_config.clone(),
                }
            }
        }
    };
}

side!(FromArgs, FROM, "from", "the first side");
side!(ToArgs, TO, "to", "the second side");

/// The registry options for the two sides of a command.
#[derive(Clone, clap::Args)]
pub(crate) struct SidesArgs {
    #[command(flatten)]
    pub(crate) both: RegistryArgs,
    #[command(flatten)]
    from: FromArgs,
    #[command(flatten)]
    to: ToArgs,
}

impl SidesArgs {
    /// Returns the registry options for the side `from` and for the side `to`. Options for one side replace options for
    /// both. A side that is not in a registry has no reference here.
    ///
    /// Fails if a user and a password are given for both sides and would be used for more than one registry.
    pub(crate) fn split<'a>(
        &self,
        from: impl IntoIterator<Item = &'a Reference>,
        to: Option<&'a Reference>,
        session: &Session,
    ) -> Result<(RegistryArgs, RegistryArgs)> {
        let mut sides = (Side::from(&self.from), Side::from(&self.to));
        let mut both = self.both.clone();
        let from: Vec<_> = from.into_iter().collect();
        if !Reached::new(from.iter().copied(), to).are_several() {
            (sides.0.name, sides.1.name) = (None, None);
        }
        let from = from.into_iter();
        let from = from.filter(|_| !sides.0.has_credentials());
        let to = to.filter(|_| !sides.1.has_credentials());
        both.share(from.chain(to), session)?;
        let from = both.with(&sides.0, &sides.1);
        Ok((from, both.with(&sides.1, &sides.0)))
    }
}

#[cfg(test)]
#[path = "tests/sides.rs"]
mod tests;
