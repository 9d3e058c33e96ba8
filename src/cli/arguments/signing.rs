//! Options of the commands that sign archives: keys and the time of signing.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use clap::ValueHint;
use clap::builder::{StringValueParser, TypedValueParser};

use crate::archive::{
    self, GivenKey, Key, KeyDirectories, KeyKind, KeyOrigin, Signer, Subject, from_unix,
};
use crate::cli::output::{Failure, path_text};
use crate::cli::threads::detached;
use crate::content::unix_seconds;

/// The environment variables of the two keys, as for `wash`.
const ISSUER_VARIABLE: &str = "WASH_ISSUER_KEY";
const SUBJECT_VARIABLE: &str = "WASH_SUBJECT_KEY";

/// The keys that sign, and the time of signing. No `Debug`: the options may be seeds.
#[derive(clap::Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    pub(crate) directory: KeyDirectoryArgs,
    /// The issuer's key, an account: a seed (SA…), a file or a pipe with one, or `-` for standard input.
    /// Default for `create` and `build`: `$USER_account.nk` in the directories for keys. Default for all others: the
    /// key there that has signed the archive
    #[arg(
        short,
        long,
        env = ISSUER_VARIABLE,
        hide_env_values = true,
        value_name = "SEED|PATH|-",
        value_parser = key()
    )]
    pub(crate) issuer: Option<String>,
    /// The subject's key, a service, which identifies the provider: its public key (V…), a seed (SV…), a
    /// file or a pipe with one of them, or `-` for standard input. Default for `create` and `build`:
    /// `{name of the binary}_service.nk` in the directories for keys. Default for all others: the archive's own subject
    #[arg(
        short,
        long,
        env = SUBJECT_VARIABLE,
        hide_env_values = true,
        value_name = "KEY|SEED|PATH|-",
        value_parser = key()
    )]
    pub(crate) subject: Option<String>,
    /// Sign as if it were this time, in seconds since 1970: the same inputs and keys then give the same
    /// archive, byte for byte. Default: now
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Fail when a key is missing. Default: `create` and `build` generate a missing key, unless `CI` is set; all
    /// others fail
    #[arg(long)]
    pub(crate) disable_keygen: bool,
    /// The issuer's key, if it has been read already.
    #[arg(skip)]
    read_issuer: Option<Box<(Key, KeyOrigin)>>,
    /// The subject's key, if it has been read already.
    #[arg(skip)]
    read_subject: Option<(Subject, KeyOrigin)>,
}

/// Where keys are.
#[derive(clap::Args)]
pub(crate) struct KeyDirectoryArgs {
    /// The first directory to look for keys in. Default: `WASH_KEYS`, then `~/.wash/keys`, then `WASH_KEYS_DIR`, or
    /// else `keys` in `WASH_DATA_DIR`, or else `wash/keys` in the XDG data directory
    #[arg(
        short,
        long,
        visible_alias = "keys-directory",
        value_name = "DIR",
        value_hint = ValueHint::DirPath
    )]
    directory: Option<PathBuf>,
}

impl KeyDirectoryArgs {
    /// Looks for keys first in this directory, unless the user has named another one.
    pub(crate) fn prefer(&mut self, directory: Option<PathBuf>) {
        let is_named = std::env::var_os("WASH_KEYS").is_some_and(|keys| !keys.is_empty());
        if self.directory.is_none() && !is_named {
            self.directory = directory;
        }
    }

    pub(crate) fn directories(&self) -> KeyDirectories {
        KeyDirectories::discover(self.directory.as_deref())
    }

    /// Fails in a job of a CI system if the user names a directory that is missing, such as one that was not mounted:
    /// nobody may read the warning about the key of another directory there.
    pub(crate) fn require_directory(&self) -> Result<()> {
        let directories = self.directories();
        if is_ci()
            && let Some((directory, problem)) = directories.missing()
        {
            let directory = path_text(directory);
            let message = format!(
                "the directory for keys {directory} {problem}; because CI is set, no other one is used instead"
            );
            let hint = "correct --directory, WASH_KEYS or `key_directory`, or mount the directory; without a named \
                        directory, keys are looked for in `~/.wash/keys`";
            bail!(Failure::usage(message).hint(hint));
        }
        Ok(())
    }
}

impl SigningArgs {
    /// Returns the issuer's key: the one that the options name, else the one in the file `default`. With `generate`, a
    /// missing file is created with a new key.
    pub(crate) fn issuer(
        &self,
        default: &str,
        generate: bool,
    ) -> Result<(Key, KeyOrigin), archive::Error> {
        if let Some(read) = &self.read_issuer {
            return Ok((**read).clone());
        }
        self.resolve(KeyKind::Account, self.given_issuer(), default, generate)
    }

    /// Returns the subject's key, found as by [`issuer`](Self::issuer). The public key is enough, because nothing is
    /// signed with the subject's seed.
    pub(crate) fn subject(
        &self,
        default: &str,
        generate: bool,
    ) -> Result<(Subject, KeyOrigin), archive::Error> {
        if let Some(read) = &self.read_subject {
            return Ok(read.clone());
        }
        if let Some(given) = self.given_subject() {
            return given.read_subject();
        }
        let (key, origin) = self.resolve(KeyKind::Service, None, default, generate)?;
        Ok((key.public_key().parse()?, origin))
    }

    fn resolve(
        &self,
        kind: KeyKind,
        given: Option<GivenKey<'_>>,
        default: &str,
        generate: bool,
    ) -> Result<(Key, KeyOrigin), archive::Error> {
        let directories = self.directory.directories();
        directories.resolve(given, default, kind, generate)
    }

    /// Fails if a key may have to be looked for, and the directory is [missing](KeyDirectoryArgs::require_directory).
    pub(crate) fn require_directory(&self) -> Result<()> {
        if self.issuer.is_some() && self.subject.is_some() {
            return Ok(());
        }
        self.directory.require_directory()
    }

    /// Explains the error about a key that is given by its name: these options take its path.
    pub(crate) fn explain_name(&self, error: archive::Error) -> anyhow::Error {
        let Some((kind, name, file)) = self.named_key(&error) else {
            return error.into();
        };
        let message = format!("`{name}` is the name of a key and not its path");
        let hint = format!("give the path of the {kind} key: {}", path_text(&file));
        let failure = Failure::new(error.kind(), message).hint(hint);
        anyhow::Error::new(error).context(failure)
    }

    /// Returns the key that has the name that is given in place of a path, if the error is about such a path.
    fn named_key(&self, error: &archive::Error) -> Option<(KeyKind, String, PathBuf)> {
        let archive::Error::Read { path, source } = error else {
            return None;
        };
        let name = path.to_str()?.trim();
        if source.kind() != io::ErrorKind::NotFound || !is_file_stem(name) {
            return None;
        }
        let given = [
            (KeyKind::Account, &self.issuer),
            (KeyKind::Service, &self.subject),
        ];
        let mut given = given.into_iter();
        let (kind, _) = given.find(|(_, key)| key.as_deref().map(str::trim) == Some(name))?;
        // Without the directories there is no hint, and the error is reported all the same.
        let files = self.directory.directories().named(name, &[kind]).ok()?;
        let is_usable = |key: &String| kind.has_public_key(key);
        let mut files = files.into_iter();
        let file = files.find(|file| file.public_key.as_ref().is_some_and(is_usable))?;
        Some((kind, name.to_owned(), file.path))
    }

    fn given_issuer(&self) -> Option<GivenKey<'_>> {
        let given = self.issuer.as_deref()?;
        Some(given_key(given, ISSUER_VARIABLE))
    }

    fn given_subject(&self) -> Option<GivenKey<'_>> {
        let given = self.subject.as_deref()?;
        Some(given_key(given.trim(), SUBJECT_VARIABLE))
    }

    /// Reads the keys that come from standard input or from a pipe. Call this before work that runs as
    /// [`blocking`](crate::cli::threads::blocking): an interruption waits for such work, and these keys may never come.
    pub(crate) async fn read_streams(mut self) -> Result<Self> {
        self.check()?;
        detached(move || {
            if self.given_issuer().is_some_and(GivenKey::is_stream) {
                self.read_issuer = Some(Box::new(self.issuer("", false)?));
            }
            if self.given_subject().is_some_and(GivenKey::is_stream) {
                self.read_subject = Some(self.subject("", false)?);
            }
            Ok(self)
        })
        .await
    }

    /// Refuses to read both keys from standard input.
    pub(crate) fn check(&self) -> Result<()> {
        let is_input = |key: &Option<String>| key.as_deref().map(str::trim) == Some("-");
        if is_input(&self.issuer) && is_input(&self.subject) {
            let message = "both keys are to be read from standard input, which holds one";
            bail!(Failure::usage(message).hint("name the other key by its file"));
        }
        Ok(())
    }

    /// Returns the given time of signing in seconds since 1970, or else the present time.
    pub(crate) fn signed_at(&self) -> Result<u64> {
        let now = || unix_seconds(SystemTime::now());
        Ok(self.created()?.unwrap_or_else(now))
    }

    /// Returns the time of signing in seconds since 1970, if one is given.
    pub(crate) fn created(&self) -> Result<Option<u64>> {
        created_at(self.created.as_deref(), "signing")
    }
}

/// Returns the time that `--created` or its variable gives, in seconds since 1970. `what` names the event at that time
/// in errors.
pub(crate) fn created_at(created: Option<&str>, what: &str) -> Result<Option<u64>> {
    // An environment variable that is empty counts as not set.
    let created = created.map(str::trim);
    let Some(created) = created.filter(|created| !created.is_empty()) else {
        return Ok(None);
    };
    let seconds = created.parse().with_context(|| {
        Failure::usage(format!("the time of {what}, `{created}`, is not a time"))
            .hint("give --created or SOURCE_DATE_EPOCH in whole seconds since 1970")
    })?;
    Ok(Some(seconds))
}

/// Returns the key that an option or its variable gives.
fn given_key<'a>(text: &'a str, variable: &'static str) -> GivenKey<'a> {
    let value = std::env::var(variable);
    GivenKey {
        text,
        variable: value
            .is_ok_and(|value| value.trim() == text.trim())
            .then_some(variable),
    }
}

/// Returns the signer, with the time of signing `created` if that is given.
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

/// Returns whether this is a job of a CI system: all of them set the variable `CI`.
pub(crate) fn is_ci() -> bool {
    let value = std::env::var("CI").unwrap_or_default();
    !matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "0" | "false" | "no"
    )
}

/// Whether `name` can be the first part of the name of a key file.
pub(crate) fn is_file_stem(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
#[path = "tests/signing.rs"]
mod tests;
