//! What the commands that edit an archive have in common: `insert`, `remove` and `sign`.

use std::path::Path;

use anyhow::Result;
use clap::ValueHint;

use crate::archive::{
    self, ArchiveWriter, Identity, KeyDirectories, KeyKind, Limits, Signer, VerifiedClaims,
};
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::session::Session;
use crate::content::ErrorKind;

use super::path::{Argument, archive_path};
use super::signing::{SigningArgs, signing_at};

/// Which archive is edited, and who signs it again.
#[derive(clap::Args)]
pub(crate) struct EditArgs {
    /// The archive
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) archive: Argument,
    #[command(flatten)]
    signing: SigningArgs,
    /// Let the archive become that of --issuer and --subject: for hosts, it is another provider then.
    /// Default: other keys than the archive's own are refused
    #[arg(long)]
    change_identity: bool,
}

impl EditArgs {
    /// When the archive counts as signed, in seconds since 1970.
    pub(crate) fn signed_at(&self) -> Result<u64> {
        self.signing.signed_at()
    }

    /// Edits the archive, and answers with its path and what it is now.
    pub(crate) fn edit(
        &self,
        session: &Session,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<(), archive::Error>,
    ) -> Result<Answer> {
        let path = archive_path(&self.archive);
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
        .map_err(key_missing)?;
        Ok(signed_archive(&path, &claims))
    }
}

/// Returns the answer of a command that has signed the archive at `path`.
pub(crate) fn signed_archive(path: &Path, claims: &VerifiedClaims) -> Answer {
    let targets: Vec<&str> = claims.executables().keys().map(|t| t.as_str()).collect();
    Answer::new(path_text(path))
        .field("file", path_text(path))
        .field("issuer", claims.issuer())
        .field("service", claims.subject())
        .field("targets", targets)
}

/// A new key, which is what the library's own hint leads to, is of no use here.
fn key_missing(error: archive::Error) -> anyhow::Error {
    let archive::Error::NoSuchKey { name, .. } = &error else {
        return error.into();
    };
    let message = format!("the archive was signed by {name}, and its key is not at hand");
    let failure = Failure::new(ErrorKind::NotFound, message).hint(
        "name that key with --issuer or its folder with --directory; --change-identity allows \
         another issuer",
    );
    anyhow::Error::new(error).context(failure)
}

/// The keys that are named, or else those of the archive: of the service, the public key is enough.
fn signer(options: &SigningArgs, claims: &VerifiedClaims) -> Result<Signer, archive::Error> {
    let directories: KeyDirectories = options.directories();
    let named = |option, kind| directories.resolve(Some(option), "", kind, false);
    let issuer = match options.issuer() {
        Some(option) => named(option, KeyKind::Account)?.0,
        None => directories.find(claims.issuer(), KeyKind::Account)?,
    };
    let subject = match options.subject() {
        Some(option) => named(option, KeyKind::Service)?.0.public_key(),
        None => claims.subject().to_owned(),
    };
    Signer::new(issuer, &subject)
}
