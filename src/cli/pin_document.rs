//! The document that carries pins from one machine to another. `docs/trust.md` describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::archive::{Issuer, Subject};
use crate::cache::{FormerIssuer, Pin};
use crate::client::pin_name;
use crate::content::{Digest, rfc3339, unix_seconds};
use crate::oci::Place;

/// The version of the document.
const VERSION: u64 = 1;
/// The largest number of pins that is imported.
const MOST: usize = 10_000;

#[derive(Deserialize)]
struct Document {
    version: u64,
    pins: Vec<PinEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinEntry {
    repository: String,
    issuer: String,
    service: String,
    since: String,
    #[serde(default)]
    revisions: BTreeMap<String, i32>,
    #[serde(default)]
    former: BTreeMap<String, FormerIssuer>,
    #[serde(default)]
    rotated: Option<String>,
    #[serde(default)]
    digests: Vec<Digest>,
}

/// Returns the fields of the document, with the pins sorted by repository.
pub(crate) fn fields(pins: &BTreeMap<String, Pin>) -> [(&'static str, Value); 2] {
    let pins = pins.iter().map(|(repository, pin)| {
        json!(PinEntry {
            repository: repository.clone(),
            issuer: pin.issuer.clone(),
            service: pin.subject.clone(),
            since: rfc3339(unix_seconds(pin.since)),
            revisions: pin.revisions.clone(),
            former: pin.former.clone(),
            rotated: pin.rotated.map(|time| rfc3339(unix_seconds(time))),
            digests: pin.digests.clone(),
        })
    });
    [("version", VERSION.into()), ("pins", pins.collect())]
}

/// Parses a document. The error has the reason, and the repository if there is one.
pub(crate) fn read(text: &[u8]) -> Result<BTreeMap<String, Pin>, String> {
    let document: Document = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if document.version != VERSION {
        let version = document.version;
        return Err(format!(
            "it has version {version}, and only version {VERSION} is known"
        ));
    }
    if document.pins.len() > MOST {
        return Err(format!("it has more than {MOST} pins"));
    }
    let mut pins = BTreeMap::new();
    for pin in document.pins {
        let repository = pin.repository.escape_debug().to_string();
        let (place, identity) = checked(pin).map_err(|error| format!("{repository}: {error}"))?;
        if pins.insert(place, identity).is_some() {
            return Err(format!("{repository}: it has two pins"));
        }
    }
    Ok(pins)
}

/// Checks the names, the keys and the dates of a pin, and returns its repository and its identity.
fn checked(pin: PinEntry) -> Result<(String, Pin), String> {
    let place: Place = pin
        .repository
        .parse()
        .map_err(|_| "not the name of a repository")?;
    let repository = place.reference().ok_or("not the name of a repository")?;
    let account = |key: &str| {
        let parsed: Result<Issuer, _> = key.parse();
        parsed
            .map(drop)
            .map_err(|_| "an issuer is not the public key of an account (A…)")
    };
    account(&pin.issuer)?;
    pin.former.keys().try_for_each(|key| account(key))?;
    let service: Result<Subject, _> = pin.service.parse();
    service.map_err(|_| "the service is not the public key of a service (V…)")?;
    let date = |text: &str| {
        let date = humantime::parse_rfc3339(text);
        date.map_err(|_| format!("`{}` is not a date", text.escape_debug()))
    };
    let mut identity = Pin::new(&pin.issuer, &pin.service);
    identity.since = date(&pin.since)?;
    identity.revisions = pin.revisions;
    identity.former = pin.former;
    identity.rotated = pin.rotated.as_deref().map(date).transpose()?;
    identity.digests = pin.digests;
    Ok((pin_name(repository), identity))
}

#[cfg(test)]
#[path = "tests/pin_document.rs"]
mod tests;
