//! Reading an entry of `auths`, and fields of JSON objects, in the same way as Docker.

use data_encoding::BASE64_NOPAD;
use serde_json::{Map, Value};

use super::secrets::Credentials;

/// Returns the value of a field, or `None` when it is absent or `null`. The case of the name is ignored, as in the JSON
/// parser that Docker uses.
pub(super) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = object.get(&name_in(object, name))?;
    (!value.is_null()).then_some(value)
}

/// Returns the name that a field has in `object`, which may differ from `name` in case.
pub(super) fn name_in(object: &Map<String, Value>, name: &str) -> String {
    if object.contains_key(name) {
        return name.to_owned();
    }
    let mut names = object.keys();
    let same = names.find(|other| other.eq_ignore_ascii_case(name));
    same.map_or_else(|| name.to_owned(), Clone::clone)
}

/// Returns the credentials in an entry of `auths`. The error is a text that says what is wrong with the entry.
pub(super) fn credentials(entry: &Value) -> Result<Option<Credentials>, &'static str> {
    let entry = match entry {
        Value::Null => return Ok(None),
        Value::Object(entry) => entry,
        _ => return Err("is not an object"),
    };
    let text = |name: &str, wrong: &'static str| match field(entry, name) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong),
    };
    if let Some(token) = text("registrytoken", "has a `registrytoken` that is not text")? {
        return Ok(Some(Credentials::RegistryToken(token.to_owned())));
    }
    if let Some(token) = text("identitytoken", "has an `identitytoken` that is not text")? {
        // Docker keeps the user in `auth`, with an empty password.
        let basic = field(entry, "auth").and_then(Value::as_str).map(basic_of);
        let user = match basic {
            Some(Ok(Credentials::Basic { user, .. })) => Some(user),
            _ => field(entry, "username")
                .and_then(Value::as_str)
                .map(str::to_owned),
        };
        return Ok(Some(Credentials::IdentityToken {
            user: user.filter(|user| !user.is_empty()),
            token: token.to_owned(),
        }));
    }
    if let Some(auth) = text("auth", "has an `auth` that is not text")? {
        return basic_of(auth).map(Some);
    }
    let user = text("username", "has a `username` that is not text")?;
    let password = text("password", "has a `password` that is not text")?;
    Ok(user.map(|user| Credentials::Basic {
        user: user.to_owned(),
        password: password.unwrap_or_default().to_owned(),
    }))
}

/// Decodes `auth`: user and password with a colon between them, in base64.
fn basic_of(auth: &str) -> Result<Credentials, &'static str> {
    // Some tools break base64 into lines, as in mails.
    let auth: String = auth.split_ascii_whitespace().collect();
    let bytes = BASE64_NOPAD.decode(auth.trim_end_matches('=').as_bytes());
    let bytes = bytes.map_err(|_| "has an `auth` that is not base64")?;
    let decoded = String::from_utf8(bytes).map_err(|_| "has an `auth` that is not text")?;
    let (user, password) = decoded
        .split_once(':')
        .ok_or("has an `auth` without a password")?;
    // Old versions of Docker added zeros to passwords, and `echo` adds a line end. HTTP allows neither in a password
    // (RFC 7617).
    let password = password
        .trim_matches('\0')
        .trim_end_matches(['\r', '\n', '\0']);
    Ok(Credentials::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
#[path = "tests/entry.rs"]
mod tests;
