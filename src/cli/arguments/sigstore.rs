//! Options for signing with Sigstore.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::cli::files::{is_standard_input, read_small, standard_input};
use crate::cli::output::Failure;
use crate::cli::threads::detached;
use crate::client::signing::{IdentityToken, SigningError, SigstoreSigner, TokenSource};
use crate::client::sigstore::SigstoreRoot;

/// What an error calls the file of `--identity-token`.
const TOKEN_FILE: &str = "the file with the identity token";

/// The identity token and the instance of Sigstore for signing.
#[derive(clap::Args)]
#[command(next_help_heading = "Signing options")]
pub(crate) struct SigstoreArgs {
    /// A file with the identity token for signing; `-` reads it from standard input. Default: the token in
    /// $SIGSTORE_ID_TOKEN, else that of the job of GitHub Actions
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    identity_token: Option<PathBuf>,
    /// The file `signing_config.json` with the services of the instance of Sigstore that signs. Default: the public
    /// instance
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        requires = "trusted_root"
    )]
    signing_config: Option<PathBuf>,
    /// The file `trusted_root.json` of that instance: what is signed has to verify against it. Default: that of the
    /// public instance
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        requires = "signing_config"
    )]
    trusted_root: Option<PathBuf>,
}

impl SigstoreArgs {
    /// Whether any of the options is given.
    pub(crate) fn any(&self) -> bool {
        self.identity_token.is_some() || self.signing_config.is_some()
    }

    /// Refuses to sign in a program that is built without the feature `sigstore`. Keeps standard input for the token, if that
    /// is where the token comes from: whatever else is to be read from there is refused, before it is parsed.
    pub(crate) fn check(&self) -> Result<()> {
        if cfg!(not(feature = "sigstore")) {
            bail!(SigningError::NotBuilt);
        }
        if self
            .identity_token
            .as_deref()
            .is_some_and(is_standard_input)
        {
            standard_input(TOKEN_FILE)?;
        }
        Ok(())
    }

    /// Returns the signer that these options describe.
    pub(crate) async fn signer(self) -> Result<SigstoreSigner> {
        self.check()?;
        let token = match self.identity_token {
            Some(path) => detached(move || read_token(&path)).await?.into(),
            None => TokenSource::ambient(variable)?,
        };
        let signer = SigstoreSigner::new(token);
        Ok(match (self.signing_config, self.trusted_root) {
            (Some(config), Some(root)) => signer.instance(config, SigstoreRoot::File(root)),
            _ => signer,
        })
    }
}

/// Returns the value of a variable of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a token from a file, or from standard input. Blocks.
fn read_token(path: &Path) -> Result<IdentityToken> {
    // cosign takes the token itself here. In the arguments, other users of the machine see it.
    if path.to_str().is_some_and(looks_like_token) {
        let message = "--identity-token names a file, and the token itself was given";
        bail!(Failure::usage(message).hint(
            "write the token to a file, pipe it to `--identity-token -`, or put it into SIGSTORE_ID_TOKEN; the one that \
             was given is visible in the list of processes and in the shell's history"
        ));
    }
    let bytes = read_small(path, TOKEN_FILE)?;
    // The bytes are a secret: no error quotes them.
    let text = String::from_utf8(bytes).map_err(|_| SigningError::Token("it is not text"))?;
    Ok(IdentityToken::new(&text)?)
}

/// Returns whether a text looks like a JSON Web Token, also one that cannot be used: an error would quote the name of a
/// file.
fn looks_like_token(text: &str) -> bool {
    text.trim_start().starts_with("eyJ") && text.matches('.').count() >= 2
}

#[cfg(test)]
#[path = "tests/sigstore.rs"]
mod tests;
