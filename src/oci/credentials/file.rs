//! Docker's `config.json` and Podman's `auth.json`, which have one format.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD};
use serde_json::{Map, Value, json};

use crate::content::{AtomicFile, create_private_folder};

use super::super::error::{Error, one_line};
use super::Credentials;
use super::helper_program::Helper;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
/// What Docker files the credentials of Docker Hub under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const AUTHS: &str = "auths";

/// The content of a file, with what only others understand.
pub(super) struct CredentialFile {
    pub(super) path: PathBuf,
    content: Map<String, Value>,
}

/// What Docker calls `registry` in its files and to its helpers.
pub(super) fn server(registry: &str) -> &str {
    match canonical(registry) {
        "docker.io" => DOCKER_HUB_KEY,
        other => other,
    }
}

/// Whether `key`, as a file or a person writes it, means `registry` as a whole.
pub(super) fn is_same_registry(key: &str, registry: &str) -> bool {
    let (host, scope) = parts(key);
    scope.is_empty() && canonical(&host.to_ascii_lowercase()) == canonical(registry)
}

/// The host that a key is about, and the part of its repositories, which is empty for all of them.
fn parts(key: &str) -> (&str, &str) {
    let address = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    match address {
        // The path of an address (`/v1/`) says nothing about repositories.
        Some(address) => (address.split('/').next().unwrap_or(address), ""),
        None => {
            let (host, scope) = key.split_once('/').unwrap_or((key, ""));
            (host, scope.trim_end_matches('/'))
        }
    }
}

/// Docker Hub by its one name, and every other registry by its own.
fn canonical(registry: &str) -> &str {
    match registry {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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

    /// A file that is not there yet.
    pub(super) fn empty(path: PathBuf) -> Self {
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
            let (host, scope) = parts(key);
            let beneath = repository.strip_prefix(scope)?;
            let fits = canonical(&host.to_ascii_lowercase()) == canonical(registry)
                && (scope.is_empty() || beneath.is_empty() || beneath.starts_with('/'));
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

    /// Replaces the file in one step, for its owner alone.
    pub(super) fn write(&self) -> Result<(), Error> {
        let write = || {
            if let Some(folder) = self.path.parent() {
                create_private_folder(folder)?;
            }
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

    pub(super) fn helper_failed(
        &self,
        registry: &str,
        source: super::CredentialHelperError,
    ) -> Error {
        Error::CredentialHelper {
            registry: registry.to_owned(),
            path: self.path.clone(),
            source,
        }
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
mod tests {
    use super::*;

    fn file(content: Value) -> CredentialFile {
        let Value::Object(content) = content else {
            panic!("it is an object")
        };
        CredentialFile {
            path: PathBuf::from("config.json"),
            content,
        }
    }

    /// The user that the entries name, where each is one with the password `secret`.
    fn user(keys: &[(&str, &str)], registry: &str, repository: &str) -> Option<String> {
        let entries = keys.iter().map(|(key, user)| {
            let auth = BASE64.encode(format!("{user}:secret").as_bytes());
            ((*key).to_owned(), json!({ "auth": auth }))
        });
        let entries: Map<String, Value> = entries.collect();
        let file = file(json!({ "auths": entries }));
        match file.entry(registry, repository).unwrap()? {
            Credentials::Basic { user, .. } => Some(user),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_entry_is_for_its_own_registry() {
        let keys = [("ghcr.io", "a"), ("localhost:5000", "b")];
        assert_eq!(user(&keys, "ghcr.io", "x").as_deref(), Some("a"));
        assert_eq!(user(&keys, "localhost:5000", "x").as_deref(), Some("b"));
        for other in [
            "localhost",
            "localhost:5001",
            "evil-ghcr.io",
            "ghcr.io.evil",
        ] {
            assert_eq!(user(&keys, other, "x"), None, "{other}");
        }
        let keys = [("https://quay.io/v2/", "a"), ("http://GHCR.io", "b")];
        assert_eq!(user(&keys, "quay.io", "x").as_deref(), Some("a"));
        assert_eq!(user(&keys, "ghcr.io", "x").as_deref(), Some("b"));
    }

    #[test]
    fn docker_hub_goes_by_all_its_names() {
        for key in [
            DOCKER_HUB_KEY,
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
        ] {
            let found = user(&[(key, "hub")], "docker.io", "library/x");
            assert_eq!(found.as_deref(), Some("hub"), "{key}");
            assert_eq!(user(&[(key, "hub")], "ghcr.io", "x"), None);
        }
        let both = [(DOCKER_HUB_KEY, "docker's"), ("docker.io", "other")];
        assert_eq!(user(&both, "docker.io", "x").as_deref(), Some("docker's"));
    }

    #[test]
    fn the_most_specific_entry_wins() {
        let keys = [
            ("quay.io", "all"),
            ("quay.io/org", "org"),
            ("quay.io/org/provider", "one"),
        ];
        let found = |repository| user(&keys, "quay.io", repository).unwrap();
        assert_eq!(found("org/provider"), "one");
        assert_eq!(found("org/provider/deeper"), "one");
        assert_eq!(found("org/provider2"), "org");
        assert_eq!(found("organisation/x"), "all");
        assert_eq!(found(""), "all");
        assert_eq!(user(&keys[1..], "quay.io", "other/x"), None);
    }

    #[test]
    fn what_an_entry_holds_is_told_apart() {
        let held = |entry: Value| credentials(&entry);
        let basic = |user: &str, password: &str| {
            Ok(Some(Credentials::Basic {
                user: user.to_owned(),
                password: password.to_owned(),
            }))
        };
        assert_eq!(held(json!({})), Ok(None));
        assert_eq!(held(json!({ "auth": "" })), Ok(None));
        assert_eq!(held(json!({ "auth": "YTpiOmM=" })), basic("a", "b:c"));
        assert_eq!(held(json!({ "auth": "YTpiOmM" })), basic("a", "b:c"));
        assert_eq!(held(json!({ "auth": "YToA" })), basic("a", ""));
        let plain = json!({ "username": "a", "password": "b" });
        assert_eq!(held(plain), basic("a", "b"));
        let token = json!({ "auth": "YTpi", "identitytoken": "token" });
        let expected = Credentials::IdentityToken("token".to_owned());
        assert_eq!(held(token), Ok(Some(expected)));
        for auth in ["!", "YQ==", "/w=="] {
            assert!(held(json!({ "auth": auth })).is_err(), "{auth}");
        }
    }

    #[test]
    fn an_entry_is_replaced_under_all_its_names_and_the_rest_is_kept() {
        let mut file = file(json!({
            "auths": { "docker.io": {}, "docker.io/org": {}, "ghcr.io": { "auth": "x" } },
            "credsStore": "desktop", "credHelpers": { "ghcr.io": "gh", "quay.io": "" },
            "proxies": { "default": {} },
        }));
        file.put("docker.io", Some(("a", "b"))).unwrap();
        assert_eq!(
            Value::Object(file.content.clone()),
            json!({
                "auths": {
                    DOCKER_HUB_KEY: { "auth": "YTpi" }, "docker.io/org": {},
                    "ghcr.io": { "auth": "x" },
                },
                "credsStore": "desktop", "credHelpers": { "ghcr.io": "gh", "quay.io": "" },
                "proxies": { "default": {} },
            })
        );
        assert!(file.remove("docker.io") && !file.remove("docker.io"));
        let helper = |registry| file.helper(registry).map(|helper| helper.name().to_owned());
        assert_eq!(helper("ghcr.io").as_deref(), Some("docker-credential-gh"));
        assert_eq!(
            helper("docker.io").as_deref(),
            Some("docker-credential-desktop")
        );
        assert_eq!(helper("quay.io"), None);
    }
}
