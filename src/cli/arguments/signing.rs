//! Options of the commands that sign archives: keys and the time of signing.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::ValueHint;
use clap::builder::{StringValueParser, TypedValueParser};

use crate::archive::{self, Key, KeyDirectories, KeyKind, KeyOrigin, Signer, from_unix};
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::content::unix_seconds;

/// The keys that sign, and the time of signing. No `Debug`: the options may be seeds.
#[derive(clap::Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    pub(super) directory: KeyDirectoryArgs,
    /// The issuer's key, an account: a seed (SA…) or a file with one. Default for `create`:
    /// `$USER_account.nk` in the directories for keys. Default for all others: the key there that has
    /// signed the archive
    #[arg(
        short,
        long,
        env = "WASH_ISSUER_KEY",
        hide_env_values = true,
        value_name = "SEED|PATH",
        value_parser = key()
    )]
    pub(super) issuer: Option<String>,
    /// The subject's key, a service, which identifies the provider: a seed (SV…) or a file with one.
    /// Default for `create`: `{name of the first binary}_service.nk` in the directories for keys. Default
    /// for all others: the archive's own subject
    #[arg(
        short,
        long,
        env = "WASH_SUBJECT_KEY",
        hide_env_values = true,
        value_name = "SEED|PATH",
        value_parser = key()
    )]
    pub(crate) subject: Option<String>,
    /// Sign as if it were this time, in seconds since 1970: the same inputs and keys then give the same
    /// archive, byte for byte. Default: now
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Fail when a key is missing. Default: `create` generates a missing key, all others fail
    #[arg(long)]
    pub(crate) disable_keygen: bool,
}

/// Where keys are.
#[derive(clap::Args)]
pub(crate) struct KeyDirectoryArgs {
    /// The first directory to look for keys in. Default: `WASH_KEYS`, then `~/.wash/keys`, then
    /// `wash/keys` in the XDG data directory
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

impl KeyDirectoryArgs {
    pub(crate) fn directories(&self) -> KeyDirectories {
        KeyDirectories::discover(self.directory.as_deref())
    }
}

impl SigningArgs {
    /// Returns the issuer's or the subject's key: the one that the options name, else the one in the file
    /// `default`. With `generate`, a missing file is made.
    pub(crate) fn key(
        &self,
        kind: KeyKind,
        default: &str,
        generate: bool,
    ) -> Result<(Key, KeyOrigin), archive::Error> {
        let named = match kind {
            KeyKind::Account => &self.issuer,
            KeyKind::Service => &self.subject,
        };
        let directories = self.directory.directories();
        directories.resolve(named.as_deref(), default, kind, generate)
    }

    /// Returns the time of signing in seconds since 1970: the one that is named, or now.
    pub(crate) fn signed_at(&self) -> Result<u64> {
        let now = || unix_seconds(SystemTime::now());
        Ok(self.created()?.unwrap_or_else(now))
    }

    /// Returns the time of signing in seconds since 1970, if one is named.
    pub(crate) fn created(&self) -> Result<Option<u64>> {
        // An environment variable that is empty counts as not set.
        let created = self.created.as_deref().map(str::trim);
        let Some(created) = created.filter(|created| !created.is_empty()) else {
            return Ok(None);
        };
        let seconds = created.parse().with_context(|| {
            Failure::usage(format!("the time of signing, `{created}`, is not a time"))
                .hint("give --created or SOURCE_DATE_EPOCH in whole seconds since 1970")
        })?;
        Ok(Some(seconds))
    }
}

/// Returns the signer with `created` as its time of signing, if there is one.
pub(crate) fn signing_at(signer: Signer, created: Option<u64>) -> Signer {
    match created {
        Some(created) => signer.at(from_unix(created)),
        None => signer,
    }
}

/// Returns a parser for keys that refuses an empty key. A CI job that lacks a secret has an empty variable;
/// signing with a default key in its place would change the identity of the provider.
fn key() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().try_map(|key| {
        if key.trim().is_empty() {
            Err("the key is empty: name a key, or leave out the option and unset its variable")
        } else {
            Ok(key)
        }
    })
}

/// Returns the name of the default account: the user's name, as for `wash`.
pub(crate) fn default_account() -> String {
    std::env::var("USER")
        .ok()
        .filter(|user| is_file_stem(user))
        .unwrap_or_else(|| "user".to_owned())
}

/// Whether `name` can be the first part of the name of a key file.
pub(crate) fn is_file_stem(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Tells the user if a key was generated.
pub(crate) fn announce(session: &Session, kind: KeyKind, origin: &KeyOrigin) {
    if let KeyOrigin::Generated(path) = origin {
        session.note(&format!(
            "generated the {kind} key {}; keep it safe: the next release needs it",
            path_text(path)
        ));
    }
}

#[cfg(test)]
#[path = "tests/signing.rs"]
mod tests;
