//! `par insert`

use std::collections::BTreeSet;

use anyhow::Result;
use clap::ValueHint;
use wasmcloud_par::archive::{
    self, Identity, KeyDirectories, KeyKind, Limits, Signer, VerifiedClaims,
};
use wasmcloud_par::content::ErrorKind;

use super::binaries::BinaryOptions;
use super::output::Answer;
use super::problem::Failure;
use super::session::{Session, blocking, text};
use super::signing::{SigningOptions, at};
use super::source::{self, Argument};

/// Add executables to an archive, or replace those it has, and print its path
///
/// The archive is verified first and keeps its issuer, its service and everything else. It is replaced
/// in one step.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The archive
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    archive: Argument,
    #[command(flatten)]
    binaries: BinaryOptions,
    #[command(flatten)]
    signing: SigningOptions,
    /// Let the archive become that of --issuer and --subject: for hosts, it is another provider then.
    /// Default: other keys than the archive's own are refused
    #[arg(long)]
    change_identity: bool,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || insert(&args, &session)).await
}

fn insert(args: &Args, session: &Session) -> Result<Answer> {
    let archive = source::path(&args.archive);
    let binaries = args.binaries.read(session)?;
    binaries.refuse_as_destination(&archive)?;
    let created = args.signing.created()?;
    let identity = if args.change_identity {
        Identity::Change
    } else {
        Identity::Keep
    };
    let claims = archive::insert(
        &archive,
        binaries.inputs(),
        |claims| Ok(at(signer(&args.signing, claims)?, created)),
        identity,
        &Limits::default(),
        session.progress().as_ref(),
    )
    .map_err(key_missing)?;
    let targets: BTreeSet<&str> = claims.executables().keys().map(|t| t.as_str()).collect();
    Ok(Answer::new(text(&archive))
        .field("file", text(&archive))
        .field("issuer", claims.issuer())
        .field("service", claims.subject())
        .field("targets", targets.into_iter().collect::<Vec<_>>()))
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
fn signer(options: &SigningOptions, claims: &VerifiedClaims) -> Result<Signer, archive::Error> {
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
