//! Docker's `config.json` and Podman's `auth.json`, which have one format.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD};
use serde_json::{Map, Value, json};

use crate::content::{AtomicFile, is_absent, is_too_large, read_bounded};

use super::super::error::Error;
use super::super::one_line::one_line;
use super::helper_program::Helper;
use super::keys::{is_same_registry, key_of, scope_within};
use super::secrets::Credentials;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
const AUTHS: &str = "auths";

/// A file with credentials, including the parts that only other programs understand.
pub(super) struct CredentialFile {
    path: PathBuf,
    content: Map<String, Value>,
}

impl CredentialFile {
    /// Reads the file; `registry` is for the error message. Returns `None` when there is no such file.
    pub(super) fn read(path: &Path, registry: &str) -> Result<Option<Self>, Error> {
        let text = match File::open(path).and_then(|file| read_bounded(file, LIMIT)) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) if is_too_large(&error) => {
                let reason = format!("it is larger than {LIMIT} bytes");
                return Err(unusable(path, registry, reason));
            }
            Err(source) => {
                return Err(Error::CredentialFile {
                    registry: registry.to_owned(),
                    path: path.to_owned(),
                    source,
                });
            }
        };
        // Podman writes an empty file when a user logs out.
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Self::empty(path)));
        }
        // The message of the parser is left out, because it quotes the file, which holds secrets.
        let content = serde_json::from_slice(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let reason = format!("it is not a docker config.json (line {line}, column {column})");
            unusable(path, registry, reason)
        })?;
        Ok(Some(Self {
            path: path.to_owned(),
            content,
        }))
    }

    /// Changes the file in one step, or creates it. `change` returns whether there is anything to write,
    /// and this function returns the same.
    pub(super) fn change(
        path: &Path,
        registry: &str,
        change: impl FnOnce(&mut Self) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let mut file = Self::read(path, registry)?.unwrap_or_else(|| Self::empty(path));
        let changed = change(&mut file)?;
        if changed {
            file.write()?;
        }
        Ok(changed)
    }

    fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            content: Map::new(),
        }
    }

    /// Returns the helper that keeps the credentials for `registry`.
    pub(super) fn helper(&self, registry: &str) -> Option<Helper> {
        let helpers = self.content.get("credHelpers").and_then(Value::as_object);
        let mut helpers = helpers.into_iter().flatten();
        let own = helpers.find(|(key, _)| is_same_registry(key, registry));
        let name = own.map(|(_, name)| name);
        let name = name.or_else(|| self.content.get("credsStore"))?.as_str()?;
        // In Docker's file, an empty name means that this registry has no helper.
        (!name.is_empty()).then(|| Helper::new(name))
    }

    /// Returns the credentials in the most specific entry for a repository.
    pub(super) fn entry(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, Error> {
        let own_key = key_of(registry);
        let entries = self.content.get(AUTHS).and_then(Value::as_object);
        let fitting = entries.into_iter().flatten().filter_map(|(key, entry)| {
            let scope = scope_within(key, registry)?;
            let beneath = repository.strip_prefix(scope)?;
            let fits = scope.is_empty() || beneath.is_empty() || beneath.starts_with('/');
            let rank = (scope.len(), *key == own_key);
            fits.then_some((rank, key, entry))
        });
        let credentials = fitting.filter_map(|(rank, key, entry)| {
            // Docker writes an empty entry when a helper has the credentials.
            let credentials = credentials(entry).transpose()?;
            Some((rank, key, credentials))
        });
        let Some((_, key, best)) = credentials.max_by_key(|(rank, ..)| *rank) else {
            return Ok(None);
        };
        best.map(Some).map_err(|reason| {
            let reason = format!("the entry `{}` {reason}", one_line(key));
            unusable(&self.path, registry, reason)
        })
    }

    /// Replaces the entries for `registry` as a whole. Without credentials, the new entry is empty: a
    /// helper has them.
    pub(super) fn put(
        &mut self,
        registry: &str,
        credentials: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        self.remove(registry);
        let entry = match credentials {
            Some((user, password)) => {
                json!({ "auth": BASE64.encode(format!("{user}:{password}").as_bytes()) })
            }
            None => json!({}),
        };
        let entries = self.content.entry(AUTHS).or_insert_with(|| json!({}));
        let Some(entries) = entries.as_object_mut() else {
            let reason = "`auths` is not an object".to_owned();
            return Err(unusable(&self.path, registry, reason));
        };
        entries.insert(key_of(registry), entry);
        Ok(())
    }

    /// Removes the entries for `registry` as a whole, under all spellings of its name. Returns whether there
    /// were any.
    pub(super) fn remove(&mut self, registry: &str) -> bool {
        let entries = self.content.get_mut(AUTHS).and_then(Value::as_object_mut);
        let Some(entries) = entries else { return false };
        let before = entries.len();
        entries.retain(|key, _| !is_same_registry(key, registry));
        entries.len() < before
    }

    /// Writes the file in one step, readable for its owner alone. Its directory has to exist.
    fn write(&self) -> Result<(), Error> {
        let write = || {
            let mut file = AtomicFile::create_private(&self.path)?;
            // Docker indents with tabs.
            let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
            let mut text = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, format);
            serde::Serialize::serialize(&self.content, &mut serializer)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.commit()
        };
        write().map(drop).map_err(Error::file(&self.path))
    }
}

fn unusable(path: &Path, registry: &str, reason: String) -> Error {
    Error::CredentialEntry {
        registry: registry.to_owned(),
        path: path.to_owned(),
        reason,
    }
}

/// Returns the credentials in an entry of `auths`, or what is wrong with it.
fn credentials(entry: &Value) -> Result<Option<Credentials>, &'static str> {
    let text = |name: &str| {
        let value = entry.get(name).and_then(Value::as_str);
        value.filter(|value| !value.is_empty())
    };
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credentials::IdentityToken(token.to_owned())));
    }
    let basic = |user: &str, password: &str| {
        Some(Credentials::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    };
    if let Some(auth) = text("auth") {
        let bytes = BASE64_NOPAD.decode(auth.trim_end_matches('=').as_bytes());
        let bytes = bytes.map_err(|_| "has an `auth` that is not base64")?;
        let decoded = String::from_utf8(bytes).map_err(|_| "has an `auth` that is not text")?;
        let (user, password) = decoded
            .split_once(':')
            .ok_or("has an `auth` without a password")?;
        // Docker used to pad passwords with zeros.
        return Ok(basic(user, password.trim_end_matches('\0')));
    }
    Ok(text("username").and_then(|user| basic(user, text("password").unwrap_or_default())))
}

#[cfg(test)]
#[path = "tests/file.rs"]
mod tests;
