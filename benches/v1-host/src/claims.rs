//! The claims in an archive: what `par` and `wash` sign, and what hosts know of them.

use std::collections::HashMap;

use anyhow::{Context, ensure};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::project::Archive;

/// The payload of the token in an archive.
pub struct Claims(Value);

impl Claims {
    /// Decodes a token without checking its signature, which the host does.
    pub fn decode(token: &[u8]) -> anyhow::Result<Self> {
        let token = std::str::from_utf8(token)?.trim();
        let payload = token
            .split('.')
            .nth(1)
            .context("the claims are not a token")?;
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes())?;
        Ok(Self(serde_json::from_slice(&payload)?))
    }

    /// Fails unless one of the providers that a lattice knows has these claims.
    pub fn ensure_known_as(&self, known: &[HashMap<String, String>]) -> anyhow::Result<()> {
        let wascap = &self.0["wascap"];
        let expected = [
            ("sub", text(&self.0["sub"])),
            ("iss", text(&self.0["iss"])),
            ("name", text(&wascap["name"])),
            ("version", text(&wascap["ver"])),
            ("rev", text(&wascap["rev"])),
        ];
        let matches = |known: &HashMap<String, String>| {
            expected
                .iter()
                .all(|(key, value)| known.get(*key) == Some(value))
        };
        ensure!(
            known.iter().any(matches),
            "the lattice knows {known:?}, expected {expected:?}"
        );
        Ok(())
    }

    /// Returns every claim as a path and a value, such as `/wascap/vendor` and `"Example"`.
    fn flat(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut left = vec![(String::new(), &self.0)];
        while let Some((path, value)) = left.pop() {
            match value {
                Value::Object(map) => {
                    left.extend(
                        map.iter()
                            .map(|(key, value)| (format!("{path}/{key}"), value)),
                    );
                }
                // Absent and null mean the same to every reader.
                Value::Null => (),
                other => found.push((path, other.to_string())),
            }
        }
        found.sort();
        found
    }
}

/// Compares two archives of the same project: their entries, and all claims but the identifier of the token, its time, and
/// the hashes of entries. Two compilations make executables different, and the encoding of WIT worlds has changed since
/// `wash` 0.43. Returns the names of the claims that are equal.
pub fn compare(ours: &Archive, theirs: &Archive) -> anyhow::Result<String> {
    let (our_entries, their_entries) = (ours.entries()?, theirs.entries()?);
    ensure!(
        our_entries == their_entries,
        "the entries are {our_entries:?} and {their_entries:?}"
    );
    let (ours, theirs) = (comparable(&ours.claims()?), comparable(&theirs.claims()?));
    ensure!(ours == theirs, "the claims are {ours:#?} and {theirs:#?}");
    let names: Vec<_> = ours.into_iter().map(|(path, _)| path).collect();
    Ok(names.join(" "))
}

fn comparable(claims: &Claims) -> Vec<(String, String)> {
    let mut flat = claims.flat();
    flat.retain(|(path, _)| path != "/jti" && path != "/iat");
    for (path, value) in &mut flat {
        if path.starts_with("/wascap/target_hashes/") {
            value.clear();
        }
    }
    flat
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
