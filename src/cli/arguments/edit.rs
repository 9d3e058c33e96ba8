//! Editing an archive and signing it again, for `insert`, `remove` and `sign`.

use std::path::Path;

use anyhow::Result;
use clap::ValueHint;

use crate::archive::{self, ArchiveWriter, Identity, KeyKind, Limits, Signer, VerifiedClaims};
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::content::ErrorKind;

use super::path::{Argument, archive_path};
use super::signing::{SigningArgs, signing_at};

/// The archive to edit, and the keys that sign it again.
#[derive(clap::Args)]
pub(crate) struct EditArgs {
    /// The archive
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) archive: Argument,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Allow --issuer and --subject to change the identity of the archive: for hosts, it is another
    /// provider then. Default: only the archive's own keys are allowed
    #[arg(long)]
    change_identity: bool,
}

impl EditArgs {
    /// [Reads](SigningArgs::read_streams) the keys that come from standard input or from a pipe.
    pub(crate) async fn read_streams(mut self) -> Result<Self> {
        self.signing = self.signing.read_streams().await?;
        Ok(self)
    }

    /// Applies `change` to the archive, signs it, and returns the answer of the command.
    pub(crate) fn edit(
        &self,
        session: &Session,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<(), archive::Error>,
    ) -> Result<Answer> {
        let path = archive_path(&self.archive);
        self.signing.check()?;
        if self.signing.issuer.is_none() {
            self.signing.directory.require_directory()?;
        }
        let created = self.signing.created()?;
        let identity = if self.change_identity {
            Identity::Change
        } else {
            Identity::Keep
        };
        let claims = archive::edit(
            &path,
            change,
            |claims| Ok(signing_at(signer(&self.signing, claims)?, created)),
            identity,
            &Limits::default(),
            session.progress().as_ref(),
        )
        .map_err(|error| explain_missing_key(error, &self.signing))?;
        Ok(signed_archive(&path, &claims))
    }
}

/// Returns the answer of a command that has signed the archive at `path`.
pub(crate) fn signed_archive(path: &Path, claims: &VerifiedClaims) -> Answer {
    let targets: Vec<&str> = claims.executables().keys().map(|t| t.as_str()).collect();
    Answer::file(path)
        .field("issuer", claims.issuer().as_str())
        .field("service", claims.subject().as_str())
        .field("targets", targets)
}

/// Gives the error about a missing key another hint. The usual hint is to generate a key, and a new key does not help
/// to sign an existing archive again.
fn explain_missing_key(error: archive::Error, options: &SigningArgs) -> anyhow::Error {
    let archive::Error::NoSuchKey { name, .. } = &error else {
        return options.explain_name(error);
    };
    let message =
        format!("cannot sign the archive again: the key of its issuer, {name}, is missing");
    let hint = "name that key with --issuer, or its directory with --directory; --change-identity \
                allows another issuer";
    let failure = Failure::new(ErrorKind::NotFound, message).hint(hint);
    anyhow::Error::new(error).context(failure)
}

/// Returns a signer with the keys of the options, or else with the keys of the archive. For the subject, the public key
/// is enough.
fn signer(options: &SigningArgs, claims: &VerifiedClaims) -> Result<Signer, archive::Error> {
    let issuer = match options.issuer {
        Some(_) => options.issuer("", false)?.0,
        None => {
            let directories = options.directory.directories();
            directories.find(claims.issuer().as_str(), KeyKind::Account)?
        }
    };
    let subject = match options.subject {
        Some(_) => options.subject("", false)?.0,
        None => claims.subject().clone(),
    };
    Signer::new(issuer, subject)
}
