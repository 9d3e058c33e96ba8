//! Options that demand a Sigstore identity without a trust policy.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::cli::output::Failure;
use crate::client::TrustPolicy;
use crate::client::sigstore::{SigstoreRoot, SigstoreRule};

/// Returns the instance that an option names.
pub(crate) fn trusted_root(name: PathBuf) -> SigstoreRoot {
    match name.to_str() {
        Some("public") => SigstoreRoot::Public,
        Some("github") => SigstoreRoot::GitHub,
        _ => SigstoreRoot::File(name),
    }
}

/// The Sigstore identity that has to vouch for a manifest.
#[derive(clap::Args)]
#[command(next_help_heading = "Trust options")]
pub(crate) struct IdentityArgs {
    /// The Sigstore identity that has to vouch for the manifest, such as a workflow or a mail address. It replaces the
    /// identities of the trust policy. `*` stands for any characters. Default: the identities of the policy, else none
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(long, value_name = "SUBJECT", requires = "identity_issuer")]
    identity: Option<String>,
    /// The OpenID Connect issuer of that identity
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(long, value_name = "URL", requires = "identity")]
    identity_issuer: Option<String>,
    /// The instance of Sigstore that has to know that identity: `public`, `github`, or a file `trusted_root.json`.
    /// Default: public
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(
        long,
        value_name = "FILE|NAME",
        requires = "identity",
        value_hint = ValueHint::FilePath
    )]
    trusted_root: Option<PathBuf>,
}

impl IdentityArgs {
    /// Returns the policy with this identity in place of the identities that it demands.
    pub(crate) fn demand(self, policy: TrustPolicy) -> Result<TrustPolicy> {
        let (Some(subject), Some(issuer)) = (self.identity, self.identity_issuer) else {
            return Ok(policy);
        };
        if cfg!(not(feature = "sigstore")) {
            let message = "--identity is for a program that is built with the feature `sigstore`";
            let hint = "use a `par` that was built with `--features sigstore`";
            bail!(Failure::usage(message).hint(hint));
        }
        if subject.is_empty() || issuer.is_empty() {
            bail!(Failure::usage(
                "--identity and --identity-issuer must not be empty"
            ));
        }
        let root = self.trusted_root.map(trusted_root).unwrap_or_default();
        let rule = SigstoreRule::new(issuer, subject).root(root);
        Ok(TrustPolicy {
            identities: vec![rule],
            ..policy
        })
    }

    /// Whether an identity is demanded.
    pub(crate) fn is_given(&self) -> bool {
        self.identity.is_some()
    }
}
