//! The keys an archive is signed with: options of the commands that make and edit archives.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::ValueHint;
use clap::builder::{StringValueParser, TypedValueParser};

use crate::archive::{KeyDirectories, KeyKind, KeyOrigin, Signer};
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;

/// Where keys are looked for, and which ones are wanted. No `Debug`: the options may be seeds.
#[derive(clap::Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    folder: KeyDirectoryArgs,
    /// The issuer's key, an account: a seed (SA…) or a file that holds one. Default for `create`:
    /// `$USER_account.nk` in the folders for keys. Default for all others: the key there that the
    /// archive was signed with
    #[arg(
        short,
        long,
        env = "WASH_ISSUER_KEY",
        hide_env_values = true,
        value_name = "SEED|PATH",
        value_parser = key()
    )]
    issuer: Option<String>,
    /// The provider's key, a service: a seed (SV…) or a file that holds one. Default for `create`: the
    /// file `{name of the first binary}_service.nk` in the folders for keys. Default for all others: the
    /// archive's own
    #[arg(
        short,
        long,
        env = "WASH_SUBJECT_KEY",
        hide_env_values = true,
        value_name = "SEED|PATH",
        value_parser = key()
    )]
    subject: Option<String>,
    /// Sign as if it was this time, in seconds since 1970: the same inputs and keys then give the same
    /// archive, byte for byte. Default: now, and another archive each time
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Fail when a key is missing. Default: `create` makes a new one, all others never do
    #[arg(long)]
    pub(crate) disable_keygen: bool,
}

/// Where keys are.
#[derive(clap::Args)]
pub(crate) struct KeyDirectoryArgs {
    /// The folder for keys that comes first. Default: `WASH_KEYS`, then `~/.wash/keys`, then
    /// `wash/keys` in the XDG data directory
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

impl KeyDirectoryArgs {
    pub(crate) fn directories(&self) -> KeyDirectories {
        let directory = self.directory.clone();
        KeyDirectories::discover(directory.as_deref())
    }
}

impl SigningArgs {
    pub(crate) fn directories(&self) -> KeyDirectories {
        self.folder.directories()
    }

    /// The issuer option.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The subject option.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// When an archive counts as signed, in seconds since 1970: at the time that is named, or now.
    pub(crate) fn signed_at(&self) -> anyhow::Result<u64> {
        Ok(match self.created()? {
            Some(created) => created,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        })
    }

    /// The time to sign at, when one is named.
    pub(crate) fn created(&self) -> anyhow::Result<Option<u64>> {
        // An environment variable that is set to nothing counts as unset.
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

/// The signer that signs at `created`, or now.
pub(crate) fn signing_at(signer: Signer, created: Option<u64>) -> Signer {
    match created {
        Some(created) => signer.at(created),
        None => signer,
    }
}

/// A key as it is named, which is never nothing: a secret that a build does not get is an empty variable,
/// and signing with another key instead would make another provider.
fn key() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().try_map(|key| match key.trim() {
        "" => Err("it is empty: name a key, or leave it out (an empty variable counts, too)"),
        _ => Ok(key),
    })
}

/// Whose account key is the default: the user's, as `wash` names it.
pub(crate) fn default_account() -> String {
    std::env::var("USER")
        .ok()
        .filter(|user| is_file_stem(user))
        .unwrap_or_else(|| "user".to_owned())
}

/// Whether a key file can be named after `name`.
pub(crate) fn is_file_stem(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Tells the user about a key that was made just now.
pub(crate) fn announce(session: &Session, kind: KeyKind, origin: &KeyOrigin) {
    if let KeyOrigin::Generated(path) = origin {
        session.note(&format!(
            "generated the {kind} key {}; keep it safe, the next release needs it",
            path_text(path)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_never_named_out_of_its_folder() {
        assert!(is_file_stem("jane.doe"));
        for name in ["", ".", "..", "../x", "a/b", "a\\b"] {
            assert!(!is_file_stem(name), "{name}");
        }
    }
}
