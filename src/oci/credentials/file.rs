//! Docker's `config.json` and Podman's `auth.json`. Both have the same format.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::content::{directory_of, is_absent, is_too_large, read_bounded};

use super::super::error::Error;
use super::super::one_line::one_line;
use super::entry::{credentials, field, name_in};
use super::helper_program::Helper;
use super::keys::{is_same_registry, key_of, scope_within};
use super::secrets::Credentials;
use super::text::decode;
use super::writing::{self, SIZE_LIMIT};

const AUTHS: &str = "auths";
/// The most times that a file is read when another program may be writing it.
const READS: u32 = 10;
/// The wait before a file is read again.
const READ_AGAIN: Duration = Duration::from_millis(50);
/// The age after which an empty file is not taken for one that is being written.
const WRITING: Duration = Duration::from_secs(2);

/// A file with credentials, including the parts that only other programs understand.
pub(super) struct CredentialFile {
    path: PathBuf,
    content: Map<String, Value>,
}

/// The result of one attempt to read a file.
enum Read {
    Content(Map<String, Value>),
    Absent,
    /// The file has no text.
    Empty,
    /// The file is malformed, for this reason.
    Malformed(String),
}

impl CredentialFile {
    /// Reads the file. `registry` is for the error message. Returns `None` when the file does not exist.
    ///
    /// Some programs do not write such a file in one step. So a file that looks incomplete is read again before it is
    /// treated as malformed. Blocks.
    pub(super) fn read(path: &Path, registry: &str) -> Result<Option<Self>, Error> {
        let mut reads = 0;
        let content = loop {
            reads += 1;
            let is_last = reads == READS;
            match read_once(path, registry)? {
                Read::Absent => return Ok(None),
                Read::Content(content) => break content,
                // Podman writes an empty file when a user logs out.
                Read::Empty if is_last || !changed_lately(path) => break Map::new(),
                Read::Malformed(reason) if is_last => {
                    return Err(unusable(path, registry, reason));
                }
                Read::Empty | Read::Malformed(_) => thread::sleep(READ_AGAIN),
            }
        };
        Ok(Some(Self {
            path: path.to_owned(),
            content,
        }))
    }

    /// Changes or creates the file, in one step where that is possible. Does not write the file when its content stays
    /// the same. `change` returns whether it found something to change, and this function returns that value.
    pub(super) fn change(
        path: &Path,
        registry: &str,
        change: impl FnOnce(&mut Self) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let mut file = Self::read(path, registry)?.unwrap_or_else(|| Self::empty(path));
        let before = file.content.clone();
        let changed = change(&mut file)?;
        if changed && file.content != before {
            let text = file.text().map_err(Error::file(path))?;
            let written = writing::replace(path, &text);
            written.map_err(|source| not_stored(path, registry, source))?;
        }
        Ok(changed)
    }

    /// Checks that credentials for `registry` can be kept in the file at `path`. `credentials` are the credentials that
    /// will be kept, if they are known. A file that has them already, or that names a helper, may be read-only, because
    /// it will not be written.
    pub(super) fn check_change(
        path: &Path,
        registry: &str,
        credentials: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        if let Some(mut file) = Self::read(path, registry)? {
            let before = file.content.clone();
            if file.helper(registry)?.is_some() {
                return Ok(());
            }
            if credentials.is_some() {
                file.put(registry, credentials)?;
                if file.content == before {
                    return Ok(());
                }
            }
        }
        let checked = writing::check_replaceable(path);
        checked.map_err(|source| not_stored(path, registry, source))
    }

    fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            content: Map::new(),
        }
    }

    /// Returns the helper that keeps the credentials for `registry`.
    pub(super) fn helper(&self, registry: &str) -> Result<Option<Helper>, Error> {
        let mut helpers = self.object("credHelpers", registry)?.into_iter().flatten();
        let own = helpers.find(|(key, _)| is_same_registry(key, registry));
        let name = match own {
            Some((_, name)) => Some(name),
            None => field(&self.content, "credsStore"),
        };
        match name {
            None | Some(Value::Null) => Ok(None),
            // In Docker's file, an empty name means that this registry has no helper.
            Some(Value::String(name)) => Ok((!name.is_empty()).then(|| Helper::new(name))),
            Some(_) => {
                let reason = "the name of its credential helper is not text".to_owned();
                Err(unusable(&self.path, registry, reason))
            }
        }
    }

    /// Returns the field `name`, which must be an object.
    fn object(&self, name: &str, registry: &str) -> Result<Option<&Map<String, Value>>, Error> {
        match field(&self.content, name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => {
                let reason = format!("`{name}` is not an object");
                Err(unusable(&self.path, registry, reason))
            }
        }
    }

    /// Returns the credentials in the most specific entry for a repository.
    pub(super) fn entry(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, Error> {
        let own_key = key_of(registry);
        let entries = self.object(AUTHS, registry)?;
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

    /// Replaces the entries for all repositories of `registry` by one entry, unless they have these credentials.
    /// Without credentials, the new entry is empty, because a helper has them.
    pub(super) fn put(
        &mut self,
        registry: &str,
        credentials: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        if let Some((user, password)) = credentials {
            let new = Credentials::Basic {
                user: user.to_owned(),
                password: password.to_owned(),
            };
            if matches!(self.entry(registry, ""), Ok(Some(old)) if old == new) {
                return Ok(());
            }
        }
        self.remove(registry);
        let entry = match credentials {
            Some((user, password)) => {
                json!({ "auth": BASE64.encode(format!("{user}:{password}").as_bytes()) })
            }
            None => json!({}),
        };
        let name = name_in(&self.content, AUTHS);
        let entries = self.content.entry(name).or_insert(Value::Null);
        if entries.is_null() {
            *entries = json!({});
        }
        let Some(entries) = entries.as_object_mut() else {
            let reason = format!("`{AUTHS}` is not an object");
            return Err(unusable(&self.path, registry, reason));
        };
        entries.insert(key_of(registry), entry);
        Ok(())
    }

    /// Removes the entries for all repositories of `registry`, under all spellings of its name. Returns whether there
    /// were any.
    pub(super) fn remove(&mut self, registry: &str) -> bool {
        let name = name_in(&self.content, AUTHS);
        let entries = self.content.get_mut(&name).and_then(Value::as_object_mut);
        let Some(entries) = entries else { return false };
        let before = entries.len();
        entries.retain(|key, _| !is_same_registry(key, registry));
        entries.len() < before
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        // Docker indents with tabs.
        let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, format);
        serde::Serialize::serialize(&self.content, &mut serializer)?;
        text.push(b'\n');
        Ok(text)
    }
}

fn read_once(path: &Path, registry: &str) -> Result<Read, Error> {
    let bytes = match File::open(path).and_then(|file| read_bounded(file, SIZE_LIMIT)) {
        Ok(bytes) => bytes,
        // When the directory of the file is itself a file, the user made a mistake. A file below a device, such as with
        // `/dev/null` as the home directory, is absent.
        Err(error) if is_absent(&error) && !directory_of(path).is_file() => {
            return Ok(Read::Absent);
        }
        Err(error) if is_too_large(&error) => {
            let reason = format!("it is larger than {SIZE_LIMIT} bytes");
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
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(reason) => return Ok(Read::Malformed(reason.to_owned())),
    };
    if text.trim().is_empty() {
        return Ok(Read::Empty);
    }
    // Docker reads `null` as an empty object.
    let content = serde_json::from_str::<Option<Map<_, _>>>(&text);
    Ok(match content {
        Ok(content) => Read::Content(content.unwrap_or_default()),
        // The message of the parser is left out, because it quotes the file, which contains secrets.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = if error.to_string().starts_with("control character") {
                "a text in it contains a line break"
            } else {
                "it does not have the format of a docker config.json"
            };
            let reason = format!("{what} (line {line}, column {column})");
            Read::Malformed(reason)
        }
    })
}

/// Returns whether the file at `path` was changed so recently that the change may be incomplete.
fn changed_lately(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = changed.map(|changed| SystemTime::now().duration_since(changed));
    matches!(age, Ok(Ok(age)) if age < WRITING)
}

fn unusable(path: &Path, registry: &str, reason: String) -> Error {
    Error::CredentialEntry {
        registry: registry.to_owned(),
        path: path.to_owned(),
        reason,
    }
}

fn not_stored(path: &Path, registry: &str, source: io::Error) -> Error {
    Error::CredentialsNotStored {
        registry: registry.to_owned(),
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "tests/file.rs"]
mod tests;
