//! Docker's `config.json` and Podman's `auth.json`, which have one format.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD};
use serde_json::{Map, Value, json};

use crate::content::{AtomicFile, is_absent};

use super::super::error::{Error, one_line};
use super::Credentials;
use super::helper_program::Helper;
use super::server::{is_same_registry, scope_within, server};

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
const AUTHS: &str = "auths";

/// The content of a file, with what only others understand.
pub(super) struct CredentialFile {
    pub(super) path: PathBuf,
    content: Map<String, Value>,
}

impl CredentialFile {
    /// Reads the file, to find what it has for `registry`. `None` when there is no such file.
    pub(super) fn read(path: &Path, registry: &str) -> Result<Option<Self>, Error> {
        let unreadable = |source| Error::CredentialFile {
            registry: registry.to_owned(),
            path: path.to_owned(),
            source,
        };
        let mut text = Vec::new();
        match File::open(path) {
            Ok(file) => file.take(LIMIT + 1).read_to_end(&mut text),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => Err(error),
        }
        .map_err(unreadable)?;
        let path = path.to_owned();
        // Podman makes an empty file when it logs out.
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Self::empty(path)));
        }
        let malformed = |reason: String| Error::CredentialEntry {
            registry: registry.to_owned(),
            path: path.clone(),
            reason,
        };
        if text.len() as u64 > LIMIT {
            return Err(malformed(format!("it is larger than {LIMIT} bytes")));
        }
        // Where the mistake is, and not what: the parser quotes what it read.
        let content = serde_json::from_slice(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            malformed(format!(
                "it is not a docker config.json (line {line}, column {column})"
            ))
        })?;
        Ok(Some(Self { path, content }))
    }

    /// Changes the file, which need not exist, with everything else kept. `change` says whether there is
    /// anything to write, and so does this. Whoever reads it meanwhile finds one whole file or the other.
    pub(super) fn change(
        path: &Path,
        registry: &str,
        change: impl FnOnce(&mut Self) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let file = Self::read(path, registry)?;
        let mut file = file.unwrap_or_else(|| Self::empty(path.to_owned()));
        let changed = change(&mut file)?;
        if changed {
            file.write()?;
        }
        Ok(changed)
    }

    /// A file that is not there yet.
    fn empty(path: PathBuf) -> Self {
        Self {
            path,
            content: Map::new(),
        }
    }

    /// The helper that keeps the credentials of `registry`.
    pub(super) fn helper(&self, registry: &str) -> Option<Helper> {
        let helpers = self.content.get("credHelpers").and_then(Value::as_object);
        let own = helpers.into_iter().flatten();
        let own = own
            .filter(|(key, _)| is_same_registry(key, registry))
            .map(|(_, name)| name)
            .next();
        let name = own.or_else(|| self.content.get("credsStore"))?.as_str()?;
        // An empty name is how Docker says: for this registry none.
        (!name.is_empty()).then(|| Helper::new(name))
    }

    /// What the file itself holds for a repository: the entry that is most specific, if any.
    pub(super) fn entry(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, Error> {
        let entries = self.content.get(AUTHS).and_then(Value::as_object);
        let fitting = entries.into_iter().flatten().filter_map(|(key, entry)| {
            let scope = scope_within(key, registry)?;
            let beneath = repository.strip_prefix(scope)?;
            let fits = scope.is_empty() || beneath.is_empty() || beneath.starts_with('/');
            let rank = (scope.len(), key == server(registry));
            fits.then_some((rank, key, entry))
        });
        let credentials = fitting.filter_map(|(rank, key, entry)| {
            // Docker leaves empty entries for what its helpers keep.
            let credentials = credentials(entry).transpose()?;
            Some((rank, key, credentials))
        });
        let Some((_, key, best)) = credentials.max_by_key(|(rank, ..)| *rank) else {
            return Ok(None);
        };
        match best {
            Ok(credentials) => Ok(Some(credentials)),
            Err(reason) => Err(Error::CredentialEntry {
                registry: registry.to_owned(),
                path: self.path.clone(),
                reason: format!("the entry `{}` {reason}", one_line(key)),
            }),
        }
    }

    /// Replaces what the file has for `registry` as a whole. Without credentials: by the empty entry with
    /// which Docker lists what a helper keeps.
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
            return Err(Error::CredentialEntry {
                registry: registry.to_owned(),
                path: self.path.clone(),
                reason: "its `auths` are not an object".to_owned(),
            });
        };
        entries.insert(server(registry).to_owned(), entry);
        Ok(())
    }

    /// Takes out what the file has for `registry` as a whole, under any of its names. Says whether there
    /// was anything.
    pub(super) fn remove(&mut self, registry: &str) -> bool {
        let entries = self.content.get_mut(AUTHS).and_then(Value::as_object_mut);
        let Some(entries) = entries else {
            return false;
        };
        let before = entries.len();
        entries.retain(|key, _| !is_same_registry(key, registry));
        entries.len() < before
    }

    /// Replaces the file in one step, for its owner alone. Its folder has to be there.
    fn write(&self) -> Result<(), Error> {
        let write = || {
            let mut file = AtomicFile::create_private(&self.path)?;
            // With tabs, as Docker writes it.
            let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
            let mut text = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, format);
            serde::Serialize::serialize(&self.content, &mut serializer)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.commit()
        };
        write().map(drop).map_err(|source| Error::File {
            path: self.path.clone(),
            source,
        })
    }
}

/// What an entry of `auths` holds, or what is wrong with it.
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
        // Docker has padded passwords with zeros.
        return Ok(basic(user, password.trim_end_matches('\0')));
    }
    Ok(text("username").and_then(|user| basic(user, text("password").unwrap_or_default())))
}

#[cfg(test)]
mod tests;
