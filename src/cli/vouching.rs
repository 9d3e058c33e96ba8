//! Printing a Sigstore identity.

use serde_json::{Value, json};

use crate::client::sigstore::SigstoreIdentity;
use crate::content::time_text;

/// Returns a label and a text for each field of an identity.
pub(crate) fn rows(identity: &SigstoreIdentity) -> Vec<(&'static str, String)> {
    let (subject, issuer) = (&identity.subject, &identity.issuer);
    let (predicate, signed) = (&identity.predicate, time_text(identity.signed));
    let log = identity.log.as_ref().map_or_else(
        || format!("none: the instance {} has no log", identity.root),
        |entry| format!("{} of {}", entry.index, entry.log),
    );
    vec![
        ("identity", format!("{subject} of {issuer}")),
        ("statement", format!("{predicate}, signed at {signed}")),
        ("log entry", log),
    ]
}

/// Returns the value of the key `identity` in an answer.
pub(crate) fn value(identity: Option<&SigstoreIdentity>) -> Value {
    let Some(identity) = identity else {
        return Value::Null;
    };
    let log = identity
        .log
        .as_ref()
        .map(|entry| json!({ "name": entry.log, "index": entry.index }));
    json!({
        "issuer": identity.issuer,
        "subject": identity.subject,
        "predicate": identity.predicate,
        "signed": time_text(identity.signed),
        "log": log,
        "bundle": identity.bundle.to_string(),
        "root": identity.root.to_string(),
    })
}
