//! Options of the commands that check whether an archive is trusted, and making a policy from them.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;
use nkeys::{KeyPair, KeyPairType};

use crate::cli::output::Failure;
use crate::cli::threads::blocking;
use crate::client::{self, TrustPolicy};

use super::inputs::Input;

/// Which archives may be used.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Trust options")]
pub(crate) struct TrustArgs {
    /// The trust policy, a TOML file. Default: `wasmcloud-par/trust.toml` in `$XDG_CONFIG_HOME` or
    /// `~/.config` if it exists, else any issuer is allowed
    #[arg(
        long,
        env = "PAR_TRUST",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
    trust: Option<PathBuf>,
    /// The public key (A…) of an issuer that is allowed. It replaces the issuers of the trust policy. May be given
    /// several times. Default: the issuers of the policy, else any issuer
    #[arg(long = "issuer", value_name = "KEY")]
    issuers: Vec<String>,
    /// The lowest revision that is allowed. It replaces that of the trust policy. Default: the lowest revision of the
    /// policy, else any revision
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    min_revision: Option<i32>,
}

impl TrustArgs {
    /// Returns options with the path of a trust policy and no other demands.
    pub(crate) fn of(trust: Option<PathBuf>) -> Self {
        Self {
            trust,
            issuers: Vec::new(),
            min_revision: None,
        }
    }

    /// Whether the user names a trust policy.
    pub(crate) fn is_named(&self) -> bool {
        self.trust.is_some()
    }

    /// Returns the files that the options name.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let trust = self.trust.iter();
        trust
            .map(|path| ("the trust policy", path.clone()))
            .collect()
    }

    /// Returns the policy of the file, with its issuers and its lowest revision replaced by the options.
    pub(crate) async fn policy(&self) -> Result<TrustPolicy> {
        let issuers: Result<_> = self.issuers.iter().map(|key| account(key)).collect();
        let issuers = issuers?;
        let file = self.trust.clone();
        let policy = blocking(move || {
            let policy = file.map_or_else(TrustPolicy::of_user, |file| TrustPolicy::read(&file));
            Ok(policy.map_err(client::Error::from)?)
        });
        Ok(TrustPolicy {
            issuers,
            minimum_revision: self.min_revision,
            ..policy.await?
        })
    }
}

/// Checks that a key is the public key of an account. With a misspelled key, no archive would be trusted.
///
/// This is not a value parser of clap, because clap quotes a value that it cannot parse, and the user may have given a
/// seed by mistake.
fn account(text: &str) -> Result<String> {
    let text = text.trim();
    match KeyPair::from_public_key(text) {
        Ok(key) if key.key_pair_type() == KeyPairType::Account => Ok(text.to_owned()),
        _ => bail!(
            Failure::usage("--issuer is not the public key of an account (A…, 56 characters)")
                .hint(
                    "`par inspect` shows the account of an archive, `par keys get` that of a seed"
                )
        ),
    }
}

#[cfg(test)]
#[path = "tests/trust.rs"]
mod tests;
